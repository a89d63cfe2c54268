/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* probe [PID...] - what whoever runs code in here could do: tries it, and prints a line for each, the
 * name of the attempt and "done" or the error. "writable PATH" for each file and folder that it could
 * write to. PID: a process of another user, and one of this user's, to try on. It stands in credd's place
 * in credd's unit (tests/system/71-sandbox.t), and as a cross-check outside of it. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE   "/var/lib/credd"
#define NO_EXEC 99

/* Nothing here may outlive the probe or change the host: what would succeed is taken back at once. */

static void say(const char *name, long r)
{
        printf("%s: %s\n", name, r < 0 ? strerrorname_np(errno) : "done");
        fflush(stdout);
}

/* --- the network --- */

static void try_socket(const char *name, int family, int type)
{
        int fd = socket(family, type | SOCK_CLOEXEC, 0);

        say(name, fd);
        if (fd >= 0)
                (void)close(fd);
}

static void try_connect(const char *name, const char *path)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        say(name, fd < 0 ? fd : connect(fd, (const struct sockaddr *)&address, sizeof(address)));
        (void)close(fd);
}

static void sockets(void)
{
        try_socket("socket AF_INET", AF_INET, SOCK_STREAM);
        try_socket("socket AF_INET6", AF_INET6, SOCK_DGRAM);
        try_socket("socket AF_NETLINK", AF_NETLINK, SOCK_RAW);
        try_socket("socket AF_PACKET", AF_PACKET, SOCK_RAW);
        try_socket("socket AF_VSOCK", AF_VSOCK, SOCK_STREAM);
        try_socket("socket AF_ALG", AF_ALG, SOCK_SEQPACKET);
        try_socket("socket AF_UNIX", AF_UNIX, SOCK_STREAM);
        try_connect("connect Login", "/run/credd/io.credd.Login");
        try_connect("connect systemd", "/run/systemd/private");
        try_connect("connect bus", "/run/dbus/system_bus_socket");
}

/* --- files --- */

static void try_open(const char *name, const char *path, int flags)
{
        int fd = open(path, flags | O_CLOEXEC, 0600);

        say(name, fd);
        if (fd >= 0)
                (void)close(fd);
        if (fd >= 0 && (flags & O_CREAT))
                (void)unlink(path);
}

static void files(void)
{
        try_open("read shadow", "/etc/shadow", O_RDONLY);
        try_open("read host key", "/etc/ssh/ssh_host_ed25519_key", O_RDONLY);
        try_open("read home", "/home", O_RDONLY | O_DIRECTORY);
        try_open("read root's home", "/root", O_RDONLY | O_DIRECTORY);
        try_open("read a home", "/home/alice", O_RDONLY | O_DIRECTORY);
        try_open("read /run/user", "/run/user", O_RDONLY | O_DIRECTORY);
        try_open("read /var/log", "/var/log", O_RDONLY | O_DIRECTORY);
        try_open("read kmsg", "/dev/kmsg", O_RDONLY);
        try_open("read mem", "/dev/mem", O_RDONLY);
        try_open("write own state", STATE "/probe", O_WRONLY | O_CREAT);
        try_open("write /etc/credd", "/etc/credd/probe", O_WRONLY | O_CREAT);
        try_open("write /run/credd", "/run/credd/probe", O_WRONLY | O_CREAT);
        try_open("write credd", "/usr/sbin/credd", O_WRONLY);
        try_open("write sysctl", "/proc/sys/kernel/hostname", O_WRONLY);
        try_open("write cgroup", "/sys/fs/cgroup/system.slice/cgroup.procs", O_WRONLY);
        say("device node", mknod(STATE "/probe", S_IFCHR | 0600, makedev(1, 1)));
        (void)unlink(STATE "/probe");
}

/* What is not a mount for this service's own use. */
static int look(const char *path, const struct stat *status, int type, struct FTW *at)
{
        static const char *const kernel[] = {"/proc", "/sys/fs/selinux"};

        (void)at;
        for (size_t i = 0; i < sizeof(kernel) / sizeof(*kernel); i++)
                if (strcmp(path, kernel[i]) == 0)
                        return FTW_SKIP_SUBTREE;
        if (type != FTW_SL && type != FTW_NS && !S_ISSOCK(status->st_mode) &&
            faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0)
                printf("writable %s\n", path);
        return FTW_CONTINUE;
}

/* --- other processes --- */

static void try_memory(const char *whose, pid_t pid)
{
        char name[64], path[64], bytes[16];
        struct iovec here = {bytes, sizeof(bytes)}, there = {&bytes, sizeof(bytes)};

        snprintf(name, sizeof(name), "ptrace %s", whose);
        say(name, ptrace(PTRACE_ATTACH, pid, 0, 0));
        snprintf(name, sizeof(name), "read memory of %s", whose);
        say(name, process_vm_readv(pid, &here, 1, &there, 1, 0));
        snprintf(name, sizeof(name), "open memory of %s", whose);
        snprintf(path, sizeof(path), "/proc/%d/mem", pid);
        try_open(name, path, O_RDONLY);
        snprintf(name, sizeof(name), "read environment of %s", whose);
        snprintf(path, sizeof(path), "/proc/%d/environ", pid);
        try_open(name, path, O_RDONLY);
        snprintf(name, sizeof(name), "signal %s", whose);
        say(name, kill(pid, 0));
        snprintf(name, sizeof(name), "limits of %s", whose);
        say(name, prlimit(pid, RLIMIT_CORE, &(struct rlimit){1, 1}, NULL));
}

/* --- running something --- */

/* In a process of its own, if there can be one: success is the end of what tries. */
static void try_exec(const char *name, const char *path)
{
        char *const argv[] = {(char *)path, (char *)"--version", NULL};
        pid_t child = fork();
        int status = 0;

        if (child > 0) {
                (void)waitpid(child, &status, 0);
                if (WEXITSTATUS(status) != NO_EXEC)
                        say(name, 0);
                return;
        }
        execv(path, argv);
        say(name, -1);
        if (child == 0)
                _exit(NO_EXEC);
}

static void try_copy(const char *name, const char *path)
{
        static const char script[] = "#!/bin/sh\n";
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);

        if (fd < 0 || write(fd, script, sizeof(script) - 1) < 0) {
                say(name, -1);
                return;
        }
        (void)close(fd);
        try_exec(name, path);
        (void)unlink(path);
}

static void try_map(const char *name, const char *path)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        void *at =
                fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

        say(name, at == MAP_FAILED ? -1 : 0);
        if (fd >= 0)
                (void)close(fd);
}

static void code(void)
{
        void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pid_t child = fork();

        if (child == 0)
                _exit(0);
        say("fork", child);
        if (child > 0)
                (void)waitpid(child, NULL, 0);
        say("writable code", mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
                                     ? -1
                                     : 0);
        say("data made code", mprotect(page, 4096, PROT_READ | PROT_EXEC));
        say("memfd", syscall(SYS_memfd_create, "probe", 0));
        try_map("map a program", "/bin/true");
        try_exec("execute a shell", "/bin/sh");
        try_exec("execute su", "/bin/su");
        try_exec("execute credctl", "/usr/bin/credctl");
        try_copy("execute from own state", STATE "/probe");
        try_copy("execute from /tmp", "/tmp/probe");
        try_copy("execute from /var/tmp", "/var/tmp/probe");
        try_copy("execute from /dev/shm", "/dev/shm/probe");
}

/* --- the system and its own rights --- */

static void rights(void)
{
        say("setuid 0", setuid(0));
        say("setgid 0", setgid(0));
        say("setgroups", syscall(SYS_setgroups, 0, NULL));
        say("privileges by exec",
            prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? (errno = EPERM, -1) : 0);
        say("setuid file", open(STATE "/probe", O_WRONLY | O_CREAT | O_CLOEXEC, 0700) < 0
                                   ? -1
                                   : chmod(STATE "/probe", 04700));
        (void)unlink(STATE "/probe");
        say("user name space", unshare(CLONE_NEWUSER));
        say("mount name space", unshare(CLONE_NEWNS));
        say("enter name space", syscall(SYS_setns, -1, CLONE_NEWNS) < 0 && errno == EBADF ? 0 : -1);
}

static void kernel(void)
{
        struct timex reading = {
                .modes = 0}; /* sets nothing: that it may be asked at all is the matter */

        say("mount", mount("tmpfs", "/tmp", "tmpfs", 0, NULL) < 0 ? -1 : umount("/tmp"));
        say("bind mount", mount("/etc", "/tmp", NULL, MS_BIND, NULL) < 0 ? -1 : umount("/tmp"));
        say("umount", umount2("/nowhere", MNT_DETACH) < 0 && errno != EPERM ? 0 : -1);
        say("chroot", chroot("/"));
        say("module", syscall(SYS_init_module, NULL, 0, "") < 0 && errno != EPERM ? 0 : -1);
        say("bpf", syscall(SYS_bpf, 0, NULL, 0) < 0 && errno != EPERM ? 0 : -1);
        say("perf", syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0) < 0 && errno != EPERM ? 0 : -1);
        say("io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0 && errno != EPERM ? 0 : -1);
        say("userfaultfd", syscall(SYS_userfaultfd, 1));
        say("keyring", syscall(SYS_keyctl, 0, -3, 0, 0, 0) < 0 && errno != EPERM ? 0 : -1);
        say("clock", adjtimex(&reading));
        say("host name", syscall(SYS_sethostname, "", -1L) < 0 && errno != EPERM ? 0 : -1);
        say("reboot", reboot(0x12345) < 0 && errno != EPERM ? 0 : -1);
        say("swap", swapoff("/nowhere") < 0 && errno != EPERM ? 0 : -1);
        say("real time", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1}));
        say("priority", setpriority(PRIO_PROCESS, 0, -20));
        say("shared memory", shmget(IPC_PRIVATE, 4096, 0600));
        say("lock memory", mlockall(MCL_CURRENT));
}

int main(int argc, char *argv[])
{
        say("uid not 0", geteuid() == 0 ? (errno = EINVAL, -1) : 0);
        sockets();
        files();
        if (argc > 1)
                try_memory("another", (pid_t)atoi(argv[1]));
        if (argc > 2)
                try_memory("its like", (pid_t)atoi(argv[2]));
        code();
        rights();
        kernel();
        (void)nftw("/", look, 64, FTW_PHYS | FTW_ACTIONRETVAL);
        puts("end");
        return 0;
}
