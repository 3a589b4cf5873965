"""Run MiniStack; end it when the process that started it is gone.

The first argument names the instance, so that the process can be told from
any other by its command line. With --tied, standard input is a pipe whose
other end only the owner holds: it closes however the owner ends, also when it
is killed, and MiniStack then forgets its services, which would start containers
anew while it removes them, and stops as if it had been asked to.
"""

import os
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

app.main()
