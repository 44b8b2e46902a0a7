"""Chromium without a window, spoken to through two pipes by the DevTools protocol: pages as they are looked at."""
import base64
import io
import json
import os
import shutil
import subprocess
import tempfile

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe"]


class Browser:
    """One page; used in a with statement."""

    def __enter__(self):
        self.home = tempfile.TemporaryDirectory()
        theirs_in, self.to = os.pipe()
        self.answers, theirs_out = os.pipe()
        # The two ends are 3 and 4 in the browser, by way of numbers that neither of them has.
        script = 'exec 20<&"$0" 21>&"$1"; exec 3<&20 4>&21 20<&- 21>&-; shift; exec "$@"'
        self.process = subprocess.Popen(["bash", "-c", script, str(theirs_in), str(theirs_out), PROGRAM, *SWITCHES, f"--user-data-dir={self.home.name}", "about:blank"],
                                        pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL)
        os.close(theirs_in)
        os.close(theirs_out)
        self.number, self.rest, self.session = 0, b"", None
        target = next(one for one in self.call("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        self.call("Page.enable")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.answers)
        self.home.cleanup()

    def call(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters, **({"sessionId": self.session} if self.session else {})}
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while (answer := self.read()).get("id") != self.number:
            pass
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def read(self):
        while b"\0" not in self.rest:
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise RuntimeError("the browser has ended")
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def look(self, path, width, scheme):
        """Shows a file `width` pixels wide to somebody who wants colours "light" or "dark"."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=f"file://{path}")
        while self.read().get("method") != "Page.loadEventFired":
            pass

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"]["description"])
        return result["result"].get("value")

    def picture(self):
        """The whole page, [height, width, 3]."""
        import numpy as np
        from PIL import Image

        png = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")).astype(int)
