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
import time

HERE = pathlib.Path(__file__).parent
BRIDGE = "sftbridge"
CONTROLLER = "controller"


def call(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


class Cluster:
    running = None

    def __init__(self, state):
        self.state = pathlib.Path(state).resolve()
        self.daemons, self.slurmds = [], {}
        self.nodes = ["node0", "node1"]
        self.virtual = True

    def __enter__(self):
        shutil.rmtree(self.state, ignore_errors=True)
        try:
            self.lay_network()
            self.write_settings()
            os.environ["SLURM_CONF"] = str(self.state / "slurm.conf")
            self.start("munged", "--foreground", f"--socket={self.state}/munge/socket", f"--key-file={self.state}/munge/key",
                       f"--pid-file={self.state}/munge/pid", f"--seed-file={self.state}/munge/seed", f"--log-file={self.state}/munge/log")
            self.wait_for("munged", lambda: (self.state / "munge/socket").exists())
            self.start(*(["unshare", "--uts", "sh", "-c", f"hostname {CONTROLLER} && exec slurmctld -D -c"] if self.virtual else ["slurmctld", "-D", "-c"]))
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
        self.clear_network()

    def start_node(self, node):
        self.slurmds[node] = self.start(*self.within(node), "slurmd", "-D", "-N", node)

    @staticmethod
    def idle_nodes():
        return call("sinfo", "-h", "-N", "-p", "low", "-t", "idle", "-o", "%N").stdout.split()

    @staticmethod
    def cut_off(node):
        """Nothing that the node sends or is sent arrives any more, and nobody is told."""
        call("ip", "link", "set", f"sft-{node}", "down", check=True)

    @staticmethod
    def connect(node):
        call("ip", "link", "set", f"sft-{node}", "up", check=True)

    def lose(self, node):
        """The node is gone as after a loss of its power."""
        self.cut_off(node)
        while left := self.processes_of(node):
            for process in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(0.05)
        slurmd = self.slurmds.pop(node)
        slurmd.wait(10)
        self.daemons.remove(slurmd)

    def bring_back(self, node):
        """Whatever happened to it."""
        self.connect(node)
        if node not in self.slurmds:
            self.clear_steps(node)
            self.start_node(node)
        self.wait_for(f"slurmd of {node}", lambda: self.is_back(node), 120)

    @staticmethod
    def is_back(node):
        """A node that was cut off stays down until SLURM looks at it again, which an administrator hastens."""
        state = call("sinfo", "-h", "-n", node, "-p", "low", "-o", "%T").stdout.strip()
        if state.startswith("down"):
            call("scontrol", "update", f"nodename={node}", "state=resume")
        return state in ("idle", "mixed", "allocated", "completing")

    def clear_steps(self, node):
        """What PMIx keeps of steps that lost their power, as the start of the machine has to (slurm/README.md)."""
        for left in [*(self.state / node / "spool").glob("*pmix.*"), *(self.state / node / "tmp").iterdir()]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()

    @staticmethod
    def processes_of(node):
        return [int(process) for process in call("ip", "netns", "pids", f"sft-{node}").stdout.split()]

    def clear_network(self):
        """Takes the namespaces away, with what still runs in them."""
        for node in self.nodes if self.virtual else []:
            for left in self.processes_of(node):
                os.kill(left, signal.SIGKILL)
            call("ip", "netns", "del", f"sft-{node}")
        call("ip", "link", "del", BRIDGE)

    def lay_network(self):
        """A bridge, and a namespace with one leg on it for each node."""
        self.clear_network()  # of a run that was killed
        steps = [f"link add {BRIDGE} type bridge", f"address add 10.77.0.254/24 dev {BRIDGE}", f"link set {BRIDGE} up"]
        for i, node in enumerate(self.nodes):
            steps += [f"netns add sft-{node}", f"link add sft-{node} type veth peer name eth0 netns sft-{node}", f"link set sft-{node} master {BRIDGE} up",
                      f"-n sft-{node} address add 10.77.0.{i + 1}/24 dev eth0", f"-n sft-{node} link set eth0 up", f"-n sft-{node} link set lo up"]
        for step in steps:
            done = call("ip", *step.split())
            if done.returncode:
                print(f"no namespaces here (ip {step}: {done.stderr.strip()}): one node, and what needs two is skipped", flush=True)
                self.nodes, self.virtual = [socket.gethostname().split(".")[0]], False
                return

    def within(self, node):
        return ["ip", "netns", "exec", f"sft-{node}", "unshare", "--uts", "sh", "-c", f'hostname {node} && exec "$@"', "sh"] if self.virtual else []

    def write_settings(self):
        for folder in ["munge", "controller"] + [f"{node}/{part}" for node in self.nodes for part in ("spool", "tmp")]:
            (self.state / folder).mkdir(parents=True)
        key = self.state / "munge/key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        nodes = [f"NodeName={node} NodeAddr={f'10.77.0.{i + 1}' if self.virtual else '127.0.0.1'} Port=36820 CPUs=2 CoresPerSocket=2 RealMemory=2000 State=UNKNOWN"
                 for i, node in enumerate(self.nodes)]
        values = {"state": self.state, "nodes": "\n".join(nodes), "controller": CONTROLLER if self.virtual else self.nodes[0],
                  "controller_address": "10.77.0.254" if self.virtual else "127.0.0.1"}
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
