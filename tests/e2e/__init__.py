"""The real Collector and the real Jaeger: started on free loopback ports, stopped again, skipped where they are not."""
