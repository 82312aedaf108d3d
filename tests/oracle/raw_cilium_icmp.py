"""Messages of ICMP by name, as Cilium's policies may write them.

Source: cilium/cilium pkg/policy/api/icmp.go.
"""

TYPES = {
    4: {
        "EchoReply": 0,
        "DestinationUnreachable": 3,
        "Redirect": 5,
        "Echo": 8,
        "EchoRequest": 8,
        "TimeExceeded": 11,
    },
    6: {
        "DestinationUnreachable": 1,
        "PacketTooBig": 2,
        "TimeExceeded": 3,
        "EchoRequest": 128,
        "EchoReply": 129,
    },
}
"""Some of the names that messages of ICMP have."""
