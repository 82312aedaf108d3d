"""What tests share: generators and adapters."""
