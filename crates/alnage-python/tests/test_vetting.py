"""`vet` and `verify`: records, reasons, errors, interrupts."""

import json
import os
import pickle
import signal
import subprocess
import sys
import threading
import time

import pytest

import alnage


class Evil:
    def __reduce__(self):
        return os.system, ("echo owned",)


def test_a_record_is_what_the_command_line_writes(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    record = alnage.vet(path)
    assert (record.verdict, record.passed, record.schema) == ("block", False, "alnage.record/1")
    finding = record.findings[0]
    assert (finding.code, finding.severity) == ("PKL001", "critical")
    assert "system('echo owned')" in finding.evidence and finding.span.start > 0
    [model] = record
    assert model.files["model.pkl"][0] == path.stat().st_size
    ran = subprocess.run(
        [sys.executable, "-m", "alnage", "vet", str(path), "--format", "json"], capture_output=True, text=True
    )
    assert ran.returncode == 1
    assert json.loads(ran.stdout) == record.as_dict() == alnage.Record.from_json(ran.stdout).as_dict()


def test_rules_are_chosen_and_hashes_left_out(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    assert alnage.vet(path, ignore="PKL").passed
    assert [finding.code for finding in alnage.vet(path, select=["PKL001"]).findings] == ["PKL001"]
    assert alnage.vet(path, hash=False).models[0].digest is None
    assert alnage.vet_bytes(path.read_bytes(), "model.pkl").findings == alnage.vet(path).findings
    assert alnage.vet_bytes(pickle.dumps([1, 2]), "x.pkl").passed


def test_a_configuration_counts_when_it_is_named(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    (tmp_path / "alnage.toml").write_text('ignore = ["PKL"]\n')
    assert not alnage.vet(path).passed
    assert alnage.vet(path, config=tmp_path / "alnage.toml").passed


@pytest.mark.parametrize(
    "options, error",
    [
        ({"select": "NOPE"}, alnage.AlnageError),
        ({"level": "loud"}, alnage.AlnageError),
        ({"jobs": 0}, alnage.AlnageError),
        ({"config": "no-such.toml"}, (alnage.AlnageError, OSError)),
    ],
)
def test_wrong_arguments_are_errors(tmp_path, options, error):
    with pytest.raises(error):
        alnage.vet(tmp_path, **options)


def test_missing_files_are_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing-here"):
        alnage.vet(tmp_path / "nothing-here")


def test_verify_tells_what_holds_and_raises_with_reasons(tmp_path, keys, stranger):
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(alnage.NotVerified, match="no signature"):
        alnage.verify(model, keys=keys.public)
    with pytest.raises(FileNotFoundError):
        alnage.verify(tmp_path / "nothing", keys=keys.public)
    with pytest.raises(FileNotFoundError):
        alnage.verify(model, keys=tmp_path / "no-key.pem")
    keys.seal(model)
    verification = alnage.verify(model, keys=keys.public, require_seal=True)
    assert verification.has_verdict and verification.is_complete
    assert {check.part for check in verification.checks} >= {"signature", "files", "verdict", "log"}
    with pytest.raises(alnage.AlnageError, match="nobody is named"):
        alnage.verify(model)
    with pytest.raises(alnage.NotVerified, match="signature"):
        alnage.verify(model, keys=stranger.public)
    assert alnage.verify(model, keys=[stranger.public, keys.public])
    (model / "config.json").write_text('{"model_type": "gpt2"}')
    (model / "extra.txt").write_text("more")
    with pytest.raises(alnage.NotVerified) as refused:
        alnage.verify(model, keys=keys.public)
    assert refused.value.path == str(model)
    assert any("config.json" in reason for reason in refused.value.reasons)
    assert any("extra.txt" in reason for reason in refused.value.reasons)
    assert pickle.loads(pickle.dumps(refused.value)).reasons == refused.value.reasons


def test_other_threads_run_meanwhile(tmp_path):
    path = tmp_path / "large.bin"
    with open(path, "wb") as file:
        file.truncate(48 << 20)
    counted = [0]
    stop = threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    thread = threading.Thread(target=count)
    thread.start()
    before = counted[0]
    alnage.vet(path, jobs=1)
    during = counted[0] - before
    stop.set()
    thread.join()
    assert during > 1000


def test_an_interrupt_is_heard(tmp_path):
    path = tmp_path / "large.bin"
    with open(path, "wb") as file:
        file.truncate(40 << 30)
    program = """if True:
        import os, signal, sys, alnage
        # What is started in the background may ignore interrupts.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            print("ready", flush=True)
            alnage.vet(sys.argv[1])
        except KeyboardInterrupt:
            os._exit(7)
    """
    process = subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 7
    process.stdout.close()


def test_the_command_line_is_there(tmp_path):
    script = os.path.join(os.path.dirname(sys.executable), "alnage")
    ran = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert ran.stdout == f"alnage {alnage.__version__}\n"
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Evil()))
    assert subprocess.run([script, "vet", str(path)], capture_output=True).returncode == 1
    assert subprocess.run([script, "vet"], capture_output=True).returncode == 2


def test_the_wall_stands_from_the_wheel_too(tmp_path, keys):
    (tmp_path / "model.pkl").write_bytes(pickle.dumps([1]))
    script = os.path.join(os.path.dirname(sys.executable), "alnage")
    command = [script, "run", "--key", str(keys.public), "--", sys.executable, "-c", "open('model.pkl', 'rb').read()"]
    ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 1 and "refused" in ran.stderr and "PermissionError" in ran.stderr
