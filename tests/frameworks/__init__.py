"""Tests of agentops_otel.frameworks: the real packages with a scripted model on loopback; an environment each."""
