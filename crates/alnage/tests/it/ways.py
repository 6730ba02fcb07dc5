"""Reads a file in one of many ways and prints what it got: `ways.py WAY FILE`."""

import ctypes, errno, mmap, os, signal, struct, subprocess, sys, threading

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD, O_PATH = -100, 0o10000000


def call(number, *arguments):
    libc.syscall.restype = ctypes.c_long
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def bytes_of(fd):
    return os.pread(fd, 1 << 20, 0)


def openat(path):
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    return bytes_of(os.open(os.path.basename(path), os.O_RDONLY, dir_fd=folder))


def openat2(path, resolve=0):
    how = struct.pack("QQQ", 0, 0, resolve)
    return bytes_of(call(437, AT_FDCWD, path.encode(), ctypes.c_char_p(how), 24))


def mapped(path):
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as m:
        return bytes(m)


def io_uring(path):
    return bytes_of(call(425, 4, ctypes.create_string_buffer(120)))


def ring(path):
    """Opens through io_uring for real."""
    parameters = ctypes.create_string_buffer(120)
    fd = call(425, 4, parameters)
    field = lambda at: struct.unpack_from("I", parameters, at)[0]
    submissions = mmap.mmap(fd, field(64) + 4 * field(0), offset=0)
    completions = mmap.mmap(fd, field(100) + 16 * field(4), offset=0x8000000)
    entries = mmap.mmap(fd, 64 * field(0), offset=0x10000000)
    name = ctypes.create_string_buffer(path.encode())
    entries[:64] = struct.pack("BBHiQQIIQ", 18, 0, 0, AT_FDCWD, 0, ctypes.addressof(name), 0, 0, 7) + bytes(24)
    struct.pack_into("I", submissions, field(64), 0)
    struct.pack_into("I", submissions, field(44), 1)
    call(426, fd, 1, 1, 1, None, 0)
    result = struct.unpack_from("Qi", completions, field(100))[1]
    if result < 0:
        raise OSError(-result, "")
    return bytes_of(result)


def by_handle(path):
    handle = ctypes.create_string_buffer(struct.pack("Ii", 120, 0) + bytes(120))
    mount = ctypes.c_int()
    call(303, AT_FDCWD, path.encode(), handle, ctypes.byref(mount), 0)
    folder = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY)
    return bytes_of(call(304, folder, handle, 0))


def by_place(path):
    place = os.open(path, O_PATH)
    return bytes_of(os.open(f"/proc/self/fd/{place}", os.O_RDONLY))


def by_dev_fd(path):
    place = os.open(path, O_PATH)
    return bytes_of(os.open(f"/dev/fd/{place}", os.O_RDONLY))


def by_thread_self(path):
    place = os.open(path, O_PATH)
    return bytes_of(os.open(f"/proc/thread-self/fd/{place}", os.O_RDONLY))


def by_proc_root(path):
    return plain(f"/proc/{os.getpid()}/root{os.path.abspath(path)}")


def by_proc_cwd(path):
    os.chdir(os.path.dirname(path) or ".")
    return plain("/proc/self/cwd/" + os.path.basename(path))


def by_others_root(path):
    return plain(f"/proc/{os.getppid()}/root{os.path.abspath(path)}")


def plain(path):
    return bytes_of(os.open(path, os.O_RDONLY))


def both(path):
    return bytes_of(os.open(path, os.O_RDWR))


def made(path):
    return bytes_of(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def linked(path):
    os.link(path, path + ".link")
    return plain(path + ".link")


def pointed(path):
    os.symlink(os.path.abspath(path), path + ".pointer")
    return plain(path + ".pointer")


def renamed(path):
    os.rename(path, path + ".renamed")
    return plain(path + ".renamed")


def to_programs(path):
    os.link(path, "/usr/local/bin/alnage-test-" + str(os.getpid()))


def in_child(path):
    read, write = os.pipe()
    if os.fork() == 0:
        try:
            os.write(write, plain(path))
        finally:
            os._exit(0)
    os.close(write)
    os.wait()
    return os.read(read, 1 << 16) or fail()


def in_thread(path):
    got = []
    threads = [threading.Thread(target=lambda: got.append(attempt(plain, path))) for _ in range(8)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(set(got)) == 1, got
    return got[0] if isinstance(got[0], bytes) else fail(got[0])


def by_cat(path):
    return subprocess.run(["cat", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout or fail()


def by_cat_of_descriptor(path):
    place = os.open(path, O_PATH)
    os.set_inheritable(place, True)
    command = ["cat", f"/proc/self/fd/{place}"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=False).stdout or fail()


def sent(path):
    return subprocess.run(["dd", f"if={path}", "status=none"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout or fail()


def executed(path):
    os.execv(path, [path])


def x32(path):
    return bytes_of(call(0x40000000 | 257, AT_FDCWD, path.encode(), 0, 0))


def i386(path):
    code = bytes.fromhex("53 b805000000 89fb 89f1 31d2 cd80 5b c3".replace(" ", ""))
    area = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    area.write(code)
    libc.mmap.restype = ctypes.c_void_p
    # 32-bit pointers: the path must lie low.
    low = libc.mmap(ctypes.c_void_p(0), ctypes.c_size_t(4096), 3, 0x22 | 0x40, -1, ctypes.c_long(0))
    ctypes.memmove(low, path.encode() + b"\0", len(path) + 1)
    call_32 = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint)(ctypes.addressof(ctypes.c_char.from_buffer(area)))
    return bytes_of(call_32(low, 0))


def elsewhere(path):
    """A link outside the model, on the same file system."""
    name = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(path))), f"link-{os.getpid()}")
    os.link(path, name)
    return plain(name)


def bound(path):
    """Under another name, in mounts of its own."""
    call(272, 0x00020000)
    call(165, None, b"/", None, 0x44000, None)
    call(165, os.path.dirname(os.path.abspath(path)).encode(), b"/mnt", None, 0x1000, None)
    return plain("/mnt/" + os.path.basename(path))


def new_root(path):
    os.chroot("/")


def unshared(path):
    call(272, 0x10000000 | 0x00020000)


def mounted(path):
    call(165, b"tmpfs", b"/tmp", b"tmpfs", 0, 0)


def setuid(path):
    os.setuid(65534)


def traced(path):
    """The process outside whose number stands in the environment."""
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(16, ctypes.c_long(int(os.environ["OUTSIDE"])), None, None) < 0:
        raise OSError(ctypes.get_errno(), "")
    return b"traced"


def memory_of_other(path):
    return os.pread(os.open(f"/proc/{os.environ['OUTSIDE']}/mem", os.O_RDONLY), 1, 0x1000)


def descriptor_of_other(path):
    pidfd = call(434, int(os.environ["OUTSIDE"]), 0)
    return bytes_of(call(438, pidfd, int(os.environ.get("NUMBER", "0")), 0))


def signalled(path):
    os.kill(int(os.environ["OUTSIDE"]), signal.SIGUSR1)


def memfd(path):
    fd = os.memfd_create("copy")
    os.write(fd, plain(path))
    return bytes_of(os.open(f"/proc/self/fd/{fd}", os.O_RDONLY))


def privileges(path):
    return [line for line in open("/proc/self/status", "rb") if line.startswith(b"NoNewPrivs")][0].split()[1]


def descriptors(path):
    """What is inherited besides the standard three."""
    own = os.open("/proc/self/fd", os.O_RDONLY | os.O_DIRECTORY)
    return " ".join(n for n in sorted(os.listdir(own)) if int(n) > 2 and int(n) != own).encode() or b"none"


def long_path(path):
    return plain("/" + "x/" * 3000 + path)


def unmapped(path):
    return bytes_of(call(257, AT_FDCWD, ctypes.c_void_p(0x1000), 0, 0))


def across_pages(path):
    """The path begins at the end of one page and ends in the next, behind which there is nothing."""
    libc.mmap.restype = ctypes.c_void_p
    area = libc.mmap(None, ctypes.c_size_t(3 * 4096), 3, 0x22, -1, ctypes.c_long(0))
    libc.munmap(ctypes.c_void_p(area + 2 * 4096), ctypes.c_size_t(4096))
    text = os.path.abspath(path).encode() + b"\0"
    at = area + 2 * 4096 - len(text)
    ctypes.memmove(at, text, len(text))
    return bytes_of(call(257, AT_FDCWD, ctypes.c_void_p(at), 0, 0))


def scratch(path):
    """What programs do with files of their own."""
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(b"own")
        file.seek(0)
        assert file.read() == b"own"
    with tempfile.NamedTemporaryFile(dir=".") as file:
        assert os.stat(file.name).st_mode & 0o777 == 0o600
    os.umask(0o027)
    os.close(os.open("made", os.O_RDWR | os.O_CREAT, 0o666))
    assert os.stat("made").st_mode & 0o777 == 0o640, oct(os.stat("made").st_mode)
    with open("text", "w") as file:
        file.write("own")
    with open("text", "r+") as file:
        assert file.read() == "own"
    assert open("text").read() == "own" and os.listdir(".")
    open("/dev/null", "wb").write(b"x")
    assert len(open("/dev/urandom", "rb").read(4)) == 4
    assert b"ways" in open("/proc/self/cmdline", "rb").read()
    assert open(f"/proc/{os.getpid()}/stat").read().startswith(str(os.getpid()))
    assert int(open("/proc/self/stat").read().split()[0]) == os.getpid()
    assert os.readlink("/proc/self/exe")
    os.mkfifo("pipe")
    reader = threading.Thread(target=lambda: got.append(open("pipe", "rb").read()))
    got = []
    reader.start()
    with open("pipe", "wb") as pipe:
        pipe.write(b"through")
    reader.join()
    assert got == [b"through"], got
    try:
        os.open("made", os.O_RDWR | os.O_CREAT | os.O_EXCL)
        return b"made twice"
    except FileExistsError:
        pass
    try:
        open("nowhere/file")
    except FileNotFoundError:
        pass
    return b"fine"


def network(path):
    import socket

    socket.socketpair()
    socket.socket(socket.AF_UNIX)
    return str(socket.socket(socket.AF_INET)).encode()


class Failed(Exception):
    pass


def fail(why="nothing"):
    raise Failed(why)


def attempt(way, path):
    try:
        return way(path)
    except OSError as error:
        return errno.errorcode.get(error.errno, "?")
    except Failed as failed:
        return str(failed)


if __name__ == "__main__":
    got = attempt(globals()[sys.argv[1]], sys.argv[2])
    if isinstance(got, bytes):
        sys.stdout.buffer.write(b"GOT " + got[:64])
    else:
        print(f"FAILED {got}")
