"""Run MiniStack; end it when the process that started it is gone.

The first argument names the instance, so that the process can be told from
any other by its command line. With --tied, standard input is a pipe whose
other end only the owner holds: it closes however the owner ends, also when it
is killed, and MiniStack then forgets its services, which would start containers
anew while it removes them, and stops as if it had been asked to.
"""

import os
import re
import signal
import sys
import threading
import urllib.request


def end_with_owner():
    while os.read(0, 4096):
        pass
    try:
        reset = "http://127.0.0.1:" + os.environ["GATEWAY_PORT"] + "/_ministack/reset"
        urllib.request.urlopen(urllib.request.Request(reset, method="POST"), timeout=30)
    except OSError:
        pass  # it may not be up yet, or no longer
    os.kill(os.getpid(), signal.SIGTERM)


if "--tied" in sys.argv:
    threading.Thread(target=end_with_owner, daemon=True).start()

sys.argv = ["ministack"]  # MiniStack reads its own arguments from here

import ministack.app as app  # noqa: E402

# MiniStack answers /health itself, whatever the Host header says, so that a
# load balancer's target would never be asked there: a target that answers 500
# would look well. The prefixed paths are enough for the harness.
app._HEALTH_PATHS = tuple(path for path in app._HEALTH_PATHS if path != "/health")

# MiniStack's EC2 has addresses and NAT gateways, and its CloudFormation neither: a
# template that names them would be refused. What a stack says is handed to EC2.
import ministack.services.ec2 as ec2  # noqa: E402
from ministack.services.cloudformation import provisioners  # noqa: E402


def made(call, parameters, element):
    status, _, body = call(parameters)
    body = body.decode() if isinstance(body, bytes) else body
    found = re.search(f"<{element}>([^<]+)</{element}>", body)
    if status != 200 or not found:
        raise ValueError(body)
    return found.group(1)


def make_address(logical_id, props, stack_name):
    allocation = made(ec2._allocate_address, {"Domain": ["vpc"]}, "allocationId")
    provisioners._ec2_apply_tags(allocation, props)
    return allocation, {"AllocationId": allocation}


def release_address(physical_id, props):
    ec2._release_address({"AllocationId": [physical_id]})


def make_nat_gateway(logical_id, props, stack_name):
    parameters = {key: [props[key]] for key in ("SubnetId", "AllocationId")}
    gateway = made(ec2._create_nat_gateway, parameters, "natGatewayId")
    provisioners._ec2_apply_tags(gateway, props)
    return gateway, {"NatGatewayId": gateway}


def delete_nat_gateway(physical_id, props):
    ec2._delete_nat_gateway({"NatGatewayId": [physical_id]})


provisioners._RESOURCE_HANDLERS["AWS::EC2::EIP"] = {
    "create": make_address,
    "delete": release_address,
}
provisioners._RESOURCE_HANDLERS["AWS::EC2::NatGateway"] = {
    "create": make_nat_gateway,
    "delete": delete_nat_gateway,
}

app.main()
