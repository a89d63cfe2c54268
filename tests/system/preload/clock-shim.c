/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* clock-shim.so - moves the clocks of the one program that it is preloaded into, and of no other.
 *
 * The file that CLOCK_SHIM names holds two numbers of seconds: what is added to CLOCK_REALTIME, and
 * what is added to CLOCK_BOOTTIME. It is read again and again. When they change, the program sees what
 * it would see of the kernel: timers of CLOCK_BOOTTIME that are due now ring, as after a suspend, and
 * timers with TFD_TIMER_CANCEL_ON_SET are cancelled, as by a set clock and by a resume (timerfd_create(2)).
 *
 * Neither CLOCK_MONOTONIC moves nor the start ticks in /proc/PID/stat: a suspend leaves both alone. (A
 * time namespace shifts the ticks together with the clock, so in one that is entered later no process
 * is the one that it was.)
 *
 * The timers of a program are few and never closed: descriptors are not followed further. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define TIMERS_MAX 32
#define LOOK_NSEC  20000000L

typedef struct Timer {
        int fd;
        clockid_t clock;
        int flags;
        struct itimerspec asked;
        bool cancelled;
} Timer;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the timers */
static Timer timers[TIMERS_MAX];
static size_t n_timers;
static atomic_long real_by, boot_by;

static time_t moved_by(clockid_t id)
{
        if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
                return atomic_load(&real_by);
        return id == CLOCK_BOOTTIME ? atomic_load(&boot_by) : 0;
}

/* --- asking for the time --- */

int clock_gettime(clockid_t id, struct timespec *ret)
{
        if (syscall(SYS_clock_gettime, id, ret) < 0)
                return -1;
        ret->tv_sec += moved_by(id);
        return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
        struct timespec now;

        (void)zone;
        (void)clock_gettime(CLOCK_REALTIME, &now);
        *ret = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
        return 0;
}

time_t time(time_t *ret)
{
        struct timespec now;

        (void)clock_gettime(CLOCK_REALTIME, &now);
        if (ret)
                *ret = now.tv_sec;
        return now.tv_sec;
}

/* --- timers; the lock is held --- */

static Timer *find(int fd)
{
        for (size_t i = 0; i < n_timers; i++)
                if (timers[i].fd == fd)
                        return &timers[i];
        return NULL;
}

static bool is_armed(const Timer *timer)
{
        return timer->asked.it_value.tv_sec != 0 || timer->asked.it_value.tv_nsec != 0;
}

static int arm(const Timer *timer, struct itimerspec *ret_old)
{
        struct itimerspec when = timer->asked;

        if (is_armed(timer) && (timer->flags & TFD_TIMER_ABSTIME) != 0) {
                when.it_value.tv_sec -= moved_by(timer->clock);
                if (when.it_value.tv_sec < 0)
                        when.it_value = (struct timespec){0, 1}; /* long past; 0 would disarm it */
        }
        return (int)syscall(SYS_timerfd_settime, timer->fd, timer->flags, &when, ret_old);
}

/* It becomes readable; read() below says why. */
static void cancel(Timer *timer)
{
        const struct itimerspec now = {.it_value.tv_nsec = 1};

        timer->cancelled = true;
        (void)syscall(SYS_timerfd_settime, timer->fd, 0, &now, NULL);
}

int timerfd_create(int id, int flags)
{
        int fd = (int)syscall(SYS_timerfd_create, id, flags);

        if (fd < 0)
                return fd;
        (void)pthread_mutex_lock(&lock);
        if (n_timers == TIMERS_MAX)
                abort();
        timers[n_timers++] = (Timer){.fd = fd, .clock = id};
        (void)pthread_mutex_unlock(&lock);
        return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *asked, struct itimerspec *ret_old)
{
        Timer *timer;
        int r;

        (void)pthread_mutex_lock(&lock);
        timer = find(fd);
        if (!timer)
                abort();
        timer->flags = flags;
        timer->asked = *asked;
        timer->cancelled = false;
        r = arm(timer, ret_old);
        (void)pthread_mutex_unlock(&lock);
        return r;
}

static bool was_cancelled(int fd)
{
        Timer *timer;
        bool cancelled;

        (void)pthread_mutex_lock(&lock);
        timer = find(fd);
        cancelled = timer && timer->cancelled;
        if (cancelled)
                timer->cancelled = false;
        (void)pthread_mutex_unlock(&lock);
        return cancelled;
}

ssize_t read(int fd, void *buffer, size_t size)
{
        ssize_t n = syscall(SYS_read, fd, buffer, size);

        if (n > 0 && was_cancelled(fd)) {
                errno = ECANCELED;
                return -1;
        }
        return n;
}

/* --- the file --- */

static void move_clocks(long real, long boot)
{
        if (real == atomic_load(&real_by) && boot == atomic_load(&boot_by))
                return;
        (void)pthread_mutex_lock(&lock);
        atomic_store(&real_by, real);
        atomic_store(&boot_by, boot);
        for (size_t i = 0; i < n_timers; i++)
                if ((timers[i].flags & TFD_TIMER_CANCEL_ON_SET) != 0)
                        cancel(&timers[i]);
                else if (is_armed(&timers[i]) && (timers[i].flags & TFD_TIMER_ABSTIME) != 0)
                        (void)arm(&timers[i], NULL);
        (void)pthread_mutex_unlock(&lock);
}

static int look(void)
{
        const char *path = getenv("CLOCK_SHIM");
        char text[64], *second, *end;
        long real, boot;
        ssize_t n;
        int fd;

        fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0)
                return -1;
        n = syscall(SYS_read, fd, text, sizeof(text) - 1);
        (void)close(fd);
        if (n < 0)
                return -1;
        text[n] = '\0';
        real = strtol(text, &second, 10);
        boot = strtol(second, &end, 10);
        if (second == text || end == second)
                return -1;
        move_clocks(real, boot);
        return 0;
}

static void *watch(void *unused)
{
        const struct timespec pause = {.tv_nsec = LOOK_NSEC};

        for (;;) {
                (void)nanosleep(&pause, NULL);
                (void)look(); /* the numbers stay while the file is away */
        }
        return unused;
}

/* Before main(), so that the program never sees the clocks unmoved. Its signals are its own. */
__attribute__((constructor)) static void start(void)
{
        sigset_t all, old;
        pthread_t thread;

        if (look() < 0) {
                (void)fputs("clock-shim: CLOCK_SHIM names no file with two numbers\n", stderr);
                abort();
        }
        (void)sigfillset(&all);
        if (pthread_sigmask(SIG_SETMASK, &all, &old) != 0 ||
            pthread_create(&thread, NULL, watch, NULL) != 0 || pthread_detach(thread) != 0 ||
            pthread_sigmask(SIG_SETMASK, &old, NULL) != 0)
                abort();
}
