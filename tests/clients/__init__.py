"""Tests of agentops_otel.clients: the real packages over HTTP on loopback."""
