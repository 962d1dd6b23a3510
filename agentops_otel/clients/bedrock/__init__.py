"""Amazon Bedrock through boto3: the models, and the bodies of their responses."""

from agentops_otel.clients.bedrock import spec
from agentops_otel.instrumentation.spec import ClientSpec

SPECS: tuple[ClientSpec, ...] = (spec.SPEC,)
