"""A real SLURM on this host: munged, slurmctld and a slurmd a virtual node, each node with a host name and a network of
its own. Where namespaces may not be made there is one node, this host. All that was started ends with the cluster."""
import contextlib
import os
import pathlib
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "nodes"))
from network import Network, Refused, call  # noqa: E402

CONTROLLER = "controller"


class Cluster:
    running = None

    def __init__(self, state):
        self.state = pathlib.Path(state).resolve()
        self.daemons, self.slurmds = [], {}
        self.nodes = ["node0", "node1"]
        self.network = Network(self.nodes)

    def __enter__(self):
        shutil.rmtree(self.state, ignore_errors=True)
        try:
            self.lay_network()
            self.write_settings()
            os.environ["SLURM_CONF"] = str(self.state / "slurm.conf")
            self.start("munged", "--foreground", f"--socket={self.state}/munge/socket", f"--key-file={self.state}/munge/key",
                       f"--pid-file={self.state}/munge/pid", f"--seed-file={self.state}/munge/seed", f"--log-file={self.state}/munge/log")
            self.wait_for("munged", lambda: (self.state / "munge/socket").exists())
            self.start(*(["unshare", "--uts", "sh", "-c", f"hostname {CONTROLLER} && exec slurmctld -D -c"] if self.network else ["slurmctld", "-D", "-c"]))
            self.wait_for("slurmctld", lambda: "UP" in call("scontrol", "ping").stdout)
            for node in self.nodes:
                self.start_node(node)
            self.wait_for("slurmd", lambda: self.idle_nodes() == self.nodes)
        except BaseException:
            self.__exit__()
            raise
        Cluster.running = self
        return self

    def __exit__(self, *_):
        call("scancel", "--user=root")
        deadline = time.time() + 20
        while call("squeue", "-h").stdout.strip() and time.time() < deadline:
            time.sleep(0.2)
        for daemon in reversed(self.daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        if self.network:
            self.network.__exit__()

    def start_node(self, node):
        self.slurmds[node] = self.start(*self.within(node), "slurmd", "-D", "-N", node)

    @staticmethod
    def idle_nodes():
        return call("sinfo", "-h", "-N", "-p", "low", "-t", "idle", "-o", "%N").stdout.split()

    def lose(self, node):
        """The node is gone as after a loss of its power."""
        self.network.cut_off(node)
        while left := self.network.processes_of(node):
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
        slurmd = self.slurmds.pop(node)
        slurmd.wait(10)
        self.daemons.remove(slurmd)

    def bring_back(self, node):
        """Whatever happened to it."""
        self.network.connect(node)
        if node not in self.slurmds:
            self.clear_steps(node)
            self.start_node(node)
        self.wait_for(f"slurmd of {node}", lambda: self.is_back(node), 120)

    @staticmethod
    def is_back(node):
        """A node that was cut off stays down until SLURM looks at it again, which an administrator hastens."""
        state = next(line.split()[1] for line in call("sinfo", "-h", "-N", "-p", "low", "-o", "%N %T").stdout.splitlines() if line.split()[0] == node)
        if "down" in state:
            call("scontrol", "update", f"nodename={node}", "state=resume")
        return state in ("idle", "mixed", "allocated", "completing")

    def clear_steps(self, node):
        """What PMIx keeps of steps that lost their power, as the start of the machine has to (slurm/README.md)."""
        for left in [*(self.state / node / "spool").glob("*pmix.*"), *(self.state / node / "tmp").iterdir()]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    def lay_network(self):
        try:
            self.network.__enter__()
        except Refused as refusal:
            print(f"no namespaces here ({refusal}): one node, and what needs two is skipped", flush=True)
            self.nodes, self.network = [socket.gethostname().split(".")[0]], None

    def within(self, node):
        return self.network.within(node) if self.network else []

    def write_settings(self):
        for folder in ["munge", "controller"] + [f"{node}/{part}" for node in self.nodes for part in ("spool", "tmp")]:
            (self.state / folder).mkdir(parents=True)
        key = self.state / "munge/key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        nodes = [f"NodeName={node} NodeAddr={self.network.address(node) if self.network else '127.0.0.1'} Port=36820 CPUs=2 CoresPerSocket=2 RealMemory=2000 State=UNKNOWN"
                 for i, node in enumerate(self.nodes)]
        values = {"state": self.state, "nodes": "\n".join(nodes), "controller": CONTROLLER if self.network else self.nodes[0],
                  "controller_address": self.network.gateway if self.network else "127.0.0.1"}
        (self.state / "slurm.conf").write_text(string.Template((HERE / "slurm.conf.in").read_text()).substitute(values))
        (self.state / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")  # slurmd reads it even where no plugin uses cgroups

    def start(self, *command):
        """A daemon in the foreground, which ends when this process does."""
        with open(self.state / "daemons.log", "a") as log:
            self.daemons.append(subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *map(str, command)], stdin=subprocess.DEVNULL, stdout=log, stderr=log))
        return self.daemons[-1]

    def wait_for(self, what, is_up, seconds=30):
        deadline = time.time() + seconds
        while not is_up():
            if self.daemons[-1].poll() is not None or time.time() > deadline:
                raise SystemExit(f"{what} did not come up; the logs are in {self.state}")
            time.sleep(0.2)
