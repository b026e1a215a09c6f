// Runs inside a container and says what it sees there, as lines of key=value. Static, and on its own: it shares no code
// with the engine, whose work it checks.
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

extern char** environ;

namespace {

const char* word(int error) {
    switch (error) {
        case 0:
            return "ok";
        case EPERM:
            return "EPERM";
        case ENOENT:
            return "ENOENT";
        case EACCES:
            return "EACCES";
        case EROFS:
            return "EROFS";
        case ENOSYS:
            return "ENOSYS";
        case EIO:
            return "EIO";
        case EINVAL:
            return "EINVAL";
        case ENXIO:
            return "ENXIO";
        case ENODEV:
            return "ENODEV";
        case EEXIST:
            return "EEXIST";
        case EISDIR:
            return "EISDIR";
        case EAFNOSUPPORT:
            return "EAFNOSUPPORT";
        default:
            return "other";
    }
}

std::vector<std::string> names_in(const std::string& directory) {
    std::vector<std::string> result;
    DIR* stream = opendir(directory.c_str());
    if (stream == nullptr) return result;
    const std::string own = std::to_string(dirfd(stream));
    while (const dirent* entry = readdir(stream)) {
        const std::string name = entry->d_name;
        if (name == "." || name == ".." || (directory == "/proc/self/fd" && name == own)) continue;
        result.push_back(name);
    }
    closedir(stream);
    std::sort(result.begin(), result.end());
    return result;
}

std::string link_text(const std::string& path) {
    char text[4096];
    const auto n = readlink(path.c_str(), text, sizeof text);
    return n < 0 ? "" : std::string(text, static_cast<size_t>(n));
}

void report_namespaces() {
    for (const char* name : {"mnt", "net", "uts", "pid", "ipc", "cgroup", "time", "user"})
        printf("ns.%s=%s\n", name, link_text(std::string("/proc/self/ns/") + name).c_str());
}

void report_status() {
    std::ifstream file("/proc/self/status");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(':');
        const std::string key = line.substr(0, colon);
        for (const char* wanted : {"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb",
                                   "NoNewPrivs", "Seccomp", "Seccomp_filters", "SigBlk", "SigIgn", "SigCgt"}) {
            if (key != wanted) continue;
            std::istringstream words(line.substr(colon + 1));
            std::string text;
            for (std::string part; words >> part;) text += (text.empty() ? "" : " ") + part;
            printf("%s=%s\n", key.c_str(), text.c_str());
        }
    }
}

void report_limits() {
    const std::pair<const char*, int> limits[] = {
        {"nofile", RLIMIT_NOFILE}, {"core", RLIMIT_CORE}, {"nproc", RLIMIT_NPROC}};
    for (const auto& [name, resource] : limits) {
        rlimit limit{};
        getrlimit(static_cast<__rlimit_resource_t>(resource), &limit);
        printf("limit.%s=%lld:%lld\n", name, static_cast<long long>(limit.rlim_cur),
               static_cast<long long>(limit.rlim_max));
    }
}

void report_mounts() {
    std::ifstream file("/proc/self/mountinfo");
    for (std::string line; std::getline(file, line);) {
        std::istringstream words(line);
        std::string id, parent, device, root, target, options, part, type, source, super;
        words >> id >> parent >> device >> root >> target >> options;
        std::string propagation;
        while (words >> part && part != "-") propagation += " " + part;
        words >> type >> source >> super;
        printf("mount=%s %s %s root=%s super=%s dev=%s%s\n", target.c_str(), type.c_str(), options.c_str(),
               root.c_str(), super.c_str(), device.c_str(), propagation.c_str());
    }
}

void report_devices(const std::string& directory) {
    for (const auto& name : names_in(directory)) {
        const std::string path = directory + "/" + name;
        struct stat info {};
        if (lstat(path.c_str(), &info) != 0) continue;
        const unsigned mode = info.st_mode & 07777U;
        if (S_ISLNK(info.st_mode))
            printf("dev=%s -> %s\n", path.c_str(), link_text(path).c_str());
        else if (S_ISCHR(info.st_mode) || S_ISBLK(info.st_mode))
            printf("dev=%s %c %u:%u %04o %u:%u\n", path.c_str(), S_ISCHR(info.st_mode) ? 'c' : 'b', major(info.st_rdev),
                   minor(info.st_rdev), mode, info.st_uid, info.st_gid);
        else
            printf("dev=%s %s %04o\n", path.c_str(), S_ISDIR(info.st_mode) ? "dir" : "file", mode);
    }
}

int report() {
    report_namespaces();
    report_status();
    report_limits();
    std::string fds;
    for (const auto& name : names_in("/proc/self/fd")) fds += (fds.empty() ? "" : " ") + name;
    printf("fds=%s\n", fds.c_str());
    char cwd[4096];
    printf("cwd=%s\n", getcwd(cwd, sizeof cwd) != nullptr ? cwd : "?");
    const mode_t mask = umask(0);
    umask(mask);
    printf("umask=%04o\npid=%d\nsid=%d\ndumpable=%d\n", mask, getpid(), getsid(0), prctl(PR_GET_DUMPABLE));
    printf("ctty=%d\n", open("/dev/tty", O_RDWR | O_CLOEXEC) >= 0);
    printf("cgroup=%s\n",
           [] {
               std::ifstream file("/proc/self/cgroup");
               std::string all;
               for (std::string line; std::getline(file, line);) all += line + ";";
               return all;
           }()
               .c_str());
    for (char** entry = environ; *entry != nullptr; ++entry) printf("env=%s\n", *entry);
    report_mounts();
    report_devices("/dev");
    return 0;
}

// Writes to each file, and says how that went. Directories: makes a file in them.
int write_each(int count, char** paths) {
    for (int i = 0; i < count; ++i) {
        struct stat info {};
        std::string path = paths[i];
        const bool directory = stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
        if (directory) path += "/probe-was-here";
        const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | (directory ? O_CREAT : 0), 0600);
        int error = fd < 0 ? errno : 0;
        if (fd >= 0 && !directory && S_ISREG(info.st_mode) && write(fd, "1", 1) != 1) error = errno;
        printf("%s=%s\n", paths[i], word(error));
        if (fd >= 0) close(fd);
    }
    return 0;
}

// Every file below a directory: may it be written?
void write_tree(const std::string& directory) {
    for (const auto& name : names_in(directory)) {
        const std::string path = directory + "/" + name;
        struct stat info {};
        if (lstat(path.c_str(), &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) {
            write_tree(path);
            const std::string inside = path + "/probe-was-here";
            if (mkdir(inside.c_str(), 0700) == 0) printf("writable=%s\n", path.c_str());
        } else if (S_ISREG(info.st_mode) && (info.st_mode & 0222U) != 0) {
            const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK);
            if (fd >= 0 || errno != EROFS) printf("writable=%s %s\n", path.c_str(), fd >= 0 ? "ok" : word(errno));
            if (fd >= 0) close(fd);
        }
    }
}

// Makes a device node and opens it.
int device(char type, unsigned major_number, unsigned minor_number) {
    const char* path = "/tmp/probe-device";
    unlink(path);
    const mode_t kind = type == 'b' ? S_IFBLK : S_IFCHR;
    if (mknod(path, kind | 0600, makedev(major_number, minor_number)) != 0) {
        printf("mknod=%s\n", word(errno));
        return 0;
    }
    const int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    printf("mknod=ok\nopen=%s\n", word(fd < 0 ? errno : 0));
    unlink(path);
    return 0;
}

long call64(long number, long argument) {
    long result = number;
#if defined(__x86_64__)
    register long r10 asm("r10") = argument;
    register long r8 asm("r8") = argument;
    register long r9 asm("r9") = argument;
    asm volatile("syscall"
                 : "+a"(result)
                 : "D"(argument), "S"(argument), "d"(argument), "r"(r10), "r"(r8), "r"(r9)
                 : "rcx", "r11", "memory");
#else
    result = syscall(number, argument, argument, argument, argument, argument, argument);
    if (result < 0) result = -errno;
#endif
    return result;
}

long call32(long number, long argument) {
#if defined(__x86_64__)
    long result = number;
    // The sixth argument, in the frame pointer, is whatever stands there.
    asm volatile("int $0x80"
                 : "+a"(result)
                 : "b"(argument), "c"(argument), "d"(argument), "S"(argument), "D"(argument)
                 : "r8", "r9", "r10", "r11", "memory");
    return static_cast<int>(result);
#else
    (void)number;
    (void)argument;
    return -ENOSYS;
#endif
}

// Each call of a range with arguments that can do no harm, in a process of its own. The result: errno, or 1000 when it
// gave none, or 2000 + the signal that ended the process.
int system_calls(const std::string& kind, int first, int last) {
    auto* results = static_cast<long*>(
        mmap(nullptr, sizeof(long) * 1024, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    constexpr long kX32 = 0x40000000;
    for (int number = first; number <= last; ++number) {
        results[number] = 1000;
        const pid_t pid = fork();
        if (pid == 0) {
            const pid_t self = getpid();
            alarm(1);
            long result = 0;
            if (kind == "i386")
                result = call32(number, -1);
            else
                result = call64(kind == "x32" ? kX32 + number : number, -1);
            if (getpid() == self) results[number] = result < 0 && result > -4096 ? -result : 1000;
            _exit(0);
        }
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
        }
        if (WIFSIGNALED(status)) results[number] = 2000 + WTERMSIG(status);
    }
    for (int number = first; number <= last; ++number) printf("%d=%ld\n", number, results[number]);
    return 0;
}

long call6(long number, long a, long b = 0) {
    return syscall(number, a, b, 0, 0, 0, 0) < 0 ? errno : 0;
}

// The rules about arguments.
int arguments() {
    for (const int family : {1, 2, 10, 16, 17, 38, 39, 40}) {
        const int fd = socket(family, family == 17 || family == 16 ? SOCK_RAW : SOCK_STREAM, 0);
        printf("socket.%d=%s\n", family, word(fd < 0 ? errno : 0));
    }
    // Bits above the 32 that the kernel looks at must not get a family past the filter.
    printf("socket.high=%s\n", word(static_cast<int>(call6(SYS_socket, 0x100000000L + 38, SOCK_SEQPACKET))));
    for (const long persona : {0L, 8L, 0x20000L, 0x20008L, 0xffffffffL, 0x40000L, 1L})
        printf("personality.%lx=%s\n", persona, word(static_cast<int>(call6(SYS_personality, persona))));
    printf("clone.user=%s\n", word(static_cast<int>(call6(SYS_clone, CLONE_NEWUSER | SIGCHLD))));
    printf("unshare.user=%s\n", word(static_cast<int>(call6(SYS_unshare, CLONE_NEWUSER))));
    printf("clone3=%s\n", word(static_cast<int>(call6(435, 0, 0))));
    printf("keyctl=%s\n", word(static_cast<int>(call6(SYS_keyctl, 0, 0))));
    printf("mount=%s\n", word(static_cast<int>(call6(SYS_mount, 0, 0))));
    printf("io_uring_setup=%s\n", word(static_cast<int>(call6(425, 1, 0))));
    printf("unknown=%s\n", word(static_cast<int>(call6(999, 0, 0))));
    return 0;
}

int terminal() {
    winsize size{};
    ioctl(0, TIOCGWINSZ, &size);
    struct stat console {};
    struct stat own {};
    fstat(0, &own);
    stat("/dev/console", &console);
    printf("tty=%d%d%d\nsize=%ux%u\nname=%s\nconsole=%d\nowner=%u\n", isatty(0), isatty(1), isatty(2), size.ws_col,
           size.ws_row, ttyname(0), console.st_rdev == own.st_rdev, own.st_uid);
    printf("foreground=%d\n", tcgetpgrp(0) == getpgrp());
    return 0;
}

// Can another process here be looked into? Tries every process but its own, until a file named "stop" appears.
int spy(const char* stop) {
    const char* parts[] = {"fd", "exe", "cwd", "root", "mem", "maps", "environ"};
    long seen = 0;
    long leaks = 0;
    while (access(stop, F_OK) != 0) {
        for (const auto& name : names_in("/proc")) {
            if (name.find_first_not_of("0123456789") != std::string::npos || name == "1" ||
                name == std::to_string(getpid()))
                continue;
            // What has executed a program of the container is no secret.
            const std::string program = link_text("/proc/" + name + "/exe");
            ++seen;
            if (!program.empty() && program.find("/bin/") == 0) continue;
            for (const char* part : parts) {
                const std::string path = "/proc/" + name + "/" + part;
                if (std::string(part) == "fd") {
                    for (const auto& fd : names_in(path)) {
                        // What lies on a file system of this container is no secret either.
                        struct stat theirs {};
                        if (stat((path + "/" + fd).c_str(), &theirs) != 0 || S_ISFIFO(theirs.st_mode) ||
                            S_ISSOCK(theirs.st_mode))
                            continue;
                        const std::string text = link_text(path + "/" + fd);
                        bool own = text.find("anon_inode:") == 0;
                        for (const char* place : {"/", "/dev", "/dev/pts", "/proc"}) {
                            struct stat ours {};
                            own = own || (stat(place, &ours) == 0 && ours.st_dev == theirs.st_dev);
                        }
                        if (!own) {
                            printf("leak=%s %s\n", path.c_str(), text.c_str());
                            ++leaks;
                        }
                    }
                } else if (std::string(part) == "root" || std::string(part) == "cwd") {
                    struct stat theirs {};
                    struct stat ours {};
                    if (stat(path.c_str(), &theirs) == 0 && stat("/", &ours) == 0 && (theirs.st_dev != ours.st_dev)) {
                        printf("leak=%s\n", path.c_str());
                        ++leaks;
                    }
                } else if (std::string(part) == "maps") {
                    std::ifstream maps(path);
                    for (std::string line; std::getline(maps, line);) {
                        if (line.find("[heap]") == std::string::npos) continue;
                        const std::string again = link_text("/proc/" + name + "/exe");
                        if (again.find("/bin/") == 0) break;
                        // Or it has even ended meanwhile: of what is protected, one would be refused the link.
                        if (again.empty() && errno != EACCES && errno != EPERM) break;
                        printf("heap=%s %s\n", path.c_str(), line.c_str());
                    }
                }
            }
        }
    }
    printf("seen=%ld\nleaks=%ld\n", seen, leaks);
    return 0;
}

int orphans(int count) {
    for (int i = 0; i < count; ++i) {
        const pid_t pid = fork();
        if (pid == 0) {
            if (fork() == 0) _exit(0);
            _exit(0);
        }
        waitpid(pid, nullptr, 0);
    }
    for (int tries = 0; tries < 500; ++tries) {
        int zombies = 0;
        for (const auto& name : names_in("/proc")) {
            std::ifstream file("/proc/" + name + "/stat");
            std::string text;
            std::getline(file, text);
            const auto end = text.rfind(')');
            if (end != std::string::npos && text.size() > end + 2 && text[end + 2] == 'Z') ++zombies;
        }
        if (zombies == 0) {
            printf("zombies=0\n");
            return 0;
        }
        usleep(10000);
    }
    printf("zombies=some\n");
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    setvbuf(stdout, nullptr, _IOFBF, 1 << 16);
    const std::string mode = argc > 1 ? argv[1] : "report";
    if (mode == "report") return report();
    if (mode == "write") return write_each(argc - 2, argv + 2);
    if (mode == "write-tree") return write_tree(argv[2]), 0;
    if (mode == "device")
        return device(*argv[2], static_cast<unsigned>(atoi(argv[3])), static_cast<unsigned>(atoi(argv[4])));
    if (mode == "syscalls") return system_calls(argv[2], atoi(argv[3]), atoi(argv[4]));
    if (mode == "arguments") return arguments();
    if (mode == "terminal") return terminal();
    if (mode == "spy") return spy(argv[2]);
    if (mode == "orphans") return orphans(atoi(argv[2]));
    fprintf(stderr, "unknown mode\n");
    return 2;
}
