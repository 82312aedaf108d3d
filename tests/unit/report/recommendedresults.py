"""What is recommended of a few flows, with a question of every sort."""

from cloison.analyses.past.watch import Watch
from cloison.analyses.recommend.model import Recommended
from cloison.app import Session
from cloison.app.contract import agreed
from cloison.app.recommend import Wish, put
from cloison.report import Judged
from tests.support.recommending import START, TODAY, WEEK, seen

ROWS = (
    seen("198.51.100.7", "platform-ingress/public-gateway", 8443),
    seen("web/case-portal", "case-management/case-api", 8080),
    seen("payments/payments-api", "198.51.100.9", 443),
    seen("sandbox/case-api", "evidence/evidence-store", 9000, [7], "denied"),
    seen("evidence/evidence-api", "web/case-portal", 8080, {9: 1}),
    seen("nowhere/none", "case-management/case-api", 8080),
)


def told(session: Session, to: str = "networkpolicy") -> Judged[Recommended]:
    """Return what is recommended for a session with a contract."""
    watch = Watch({"hubble": tuple(START + hour for hour in WEEK)})
    found, _ = put(session, agreed(session), ROWS, watch, Wish(to, TODAY))
    return Judged(found, found.findings)
