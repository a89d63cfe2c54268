/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One function for each import of the module that can fail: it asks decide(), fails as told, or
 * calls the real one. Whose call it is, is told by the return address: what the module calls as the
 * last act of a function that libpam called (free() in a cleanup function) is none of these.
 *
 * Invariants: a function that fails has done nothing, except close(), which closes as Linux does;
 * outputs of a function that fails are poisoned or left alone, never made presentable. */
#include "tests/fault/shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <link.h>
#include <poll.h>
#include <pwd.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define UNFREED_MAX 256

/* libc's own, under the names that it keeps for whoever stands before malloc(). */
extern void *libc_malloc(size_t size) __asm__("__libc_malloc");
extern void *libc_calloc(size_t count, size_t size) __asm__("__libc_calloc");
extern void *libc_realloc(void *at, size_t size) __asm__("__libc_realloc");
extern void libc_free(void *at) __asm__("__libc_free");

void (*shim_on_log)(int priority, const char *format, va_list args);

#define NAME(name) #name,
static const char *const names[] = {SHIM_FUNCTIONS(NAME)};

static struct {
        void *handle;
        uintptr_t begin, end; /* of the module's code */
        bool armed;
        ShimFault fault;
        unsigned calls[SHIM_MAX];
        bool starving;
        unsigned starve_nth;
        bool starve_ever;
        unsigned allocations;
        bool failed;
        void *unfreed[UNFREED_MAX];
} shim;

const char *shim_name(ShimFunction function)
{
        return names[function];
}

bool shim_did_fail(void)
{
        return shim.failed;
}

unsigned shim_calls(ShimFunction function)
{
        return shim.calls[function];
}

/* --- whose call --- */

static int on_object(struct dl_phdr_info *info, size_t size, void *data)
{
        const struct link_map *map = data;

        (void)size;
        if (info->dlpi_addr != map->l_addr)
                return 0;
        for (unsigned i = 0; i < info->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &info->dlpi_phdr[i];

                if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
                        continue;
                shim.begin = info->dlpi_addr + segment->p_vaddr;
                shim.end = shim.begin + segment->p_memsz;
        }
        return 1;
}

void shim_init(const char *module)
{
        struct link_map *map = NULL;

        shim.handle = dlopen(module, RTLD_NOW);
        if (!shim.handle || dlinfo(shim.handle, RTLD_DI_LINKMAP, &map) < 0)
                abort();
        (void)dl_iterate_phdr(on_object, map);
        if (shim.begin == 0)
                abort();
}

void shim_done(void)
{
        (void)dlclose(shim.handle);
        shim.handle = NULL;
        shim.begin = shim.end = 0;
}

static bool is_ours(const void *caller)
{
        return shim.armed && (uintptr_t)caller >= shim.begin && (uintptr_t)caller < shim.end;
}

/* Whether this call fails. */
static bool decide(ShimFunction function, const void *caller)
{
        unsigned n;

        if (!is_ours(caller))
                return false;
        n = ++shim.calls[function];
        if (function != shim.fault.function || shim.fault.nth == 0)
                return false;
        if (n != shim.fault.nth && !(shim.fault.ever && n > shim.fault.nth))
                return false;
        shim.failed = true;
        return true;
}

#define FAILS(name) decide(SHIM_##name, __builtin_return_address(0))

static int fail(void)
{
        errno = shim.fault.error;
        return -1;
}

/* --- what is freed --- */

static void note(void *at)
{
        for (size_t i = 0; i < UNFREED_MAX; i++) {
                if (shim.unfreed[i])
                        continue;
                shim.unfreed[i] = at;
                return;
        }
        abort();
}

static void forget(const void *at)
{
        for (size_t i = 0; i < UNFREED_MAX; i++)
                if (at && shim.unfreed[i] == at)
                        shim.unfreed[i] = NULL;
}

size_t shim_unfreed(void)
{
        size_t n = 0;

        for (size_t i = 0; i < UNFREED_MAX; i++)
                n += shim.unfreed[i] != NULL;
        return n;
}

/* --- arming --- */

void shim_arm(ShimFault fault)
{
        shim.fault = fault;
        shim.failed = false;
        memset(shim.calls, 0, sizeof(shim.calls));
        memset(shim.unfreed, 0, sizeof(shim.unfreed));
        shim.armed = true;
}

void shim_starve(unsigned nth, bool ever)
{
        shim.starve_nth = nth;
        shim.starve_ever = ever;
        shim.allocations = 0;
        shim.failed = false;
        shim.starving = true;
}

void shim_disarm(void)
{
        shim.armed = shim.starving = false;
}

/* --- allocations --- */

static bool starves(void)
{
        unsigned n;

        if (!shim.starving)
                return false;
        n = ++shim.allocations;
        if (shim.starve_nth == 0 ||
            (n != shim.starve_nth && !(shim.starve_ever && n > shim.starve_nth)))
                return false;
        shim.failed = true;
        errno = ENOMEM;
        return true;
}

void *malloc(size_t size)
{
        void *at;

        if (starves())
                return NULL;
        if (FAILS(malloc)) {
                (void)fail();
                return NULL;
        }
        at = libc_malloc(size);
        if (at && is_ours(__builtin_return_address(0)))
                note(at);
        return at;
}

void *calloc(size_t count, size_t size)
{
        void *at;

        if (starves())
                return NULL;
        if (FAILS(calloc)) {
                (void)fail();
                return NULL;
        }
        at = libc_calloc(count, size);
        if (at && is_ours(__builtin_return_address(0)))
                note(at);
        return at;
}

void *realloc(void *at, size_t size)
{
        return starves() ? NULL : libc_realloc(at, size);
}

void free(void *at)
{
        forget(at);
        libc_free(at);
}

static int allocate_text(char **ret_text, const char *format, va_list args, const void *caller)
{
        int n;

        if (decide(SHIM_asprintf, caller)) {
                *ret_text =
                        (char *)(uintptr_t)0x5a5a; /* the contents are undefined, says asprintf(3) */
                return fail();
        }
        n = vasprintf(ret_text, format, args);
        if (n >= 0 && is_ours(caller))
                note(*ret_text);
        return n;
}

int asprintf(char **ret_text, const char *format, ...)
{
        va_list args;
        int n;

        va_start(args, format);
        n = allocate_text(ret_text, format, args, __builtin_return_address(0));
        va_end(args);
        return n;
}

int fortified_asprintf(char **ret_text, int flag, const char *format,
                       ...) __asm__("__asprintf_chk");
int fortified_asprintf(char **ret_text, int flag, const char *format, ...)
{
        va_list args;
        int n;

        (void)flag;
        va_start(args, format);
        n = allocate_text(ret_text, format, args, __builtin_return_address(0));
        va_end(args);
        return n;
}

/* --- text and time --- */

static int print(char *text, size_t size, const char *format, va_list args, const void *caller)
{
        if (!decide(SHIM_snprintf, caller))
                return vsnprintf(text, size, format, args);
        if (size > 0) {
                memset(text, SHIM_POISON, size - 1);
                text[size - 1] = '\0';
        }
        return fail();
}

int snprintf(char *text, size_t size, const char *format, ...)
{
        va_list args;
        int n;

        va_start(args, format);
        n = print(text, size, format, args, __builtin_return_address(0));
        va_end(args);
        return n;
}

int fortified_snprintf(char *text, size_t size, int flag, size_t room, const char *format,
                       ...) __asm__("__snprintf_chk");
int fortified_snprintf(char *text, size_t size, int flag, size_t room, const char *format, ...)
{
        va_list args;
        int n;

        (void)flag;
        if (size > room)
                abort();
        va_start(args, format);
        n = print(text, size, format, args, __builtin_return_address(0));
        va_end(args);
        return n;
}

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
        return FAILS(clock_gettime) ? fail() : NEXT(clock_gettime)(clock, ret_now);
}

struct tm *gmtime_r(const time_t *restrict when, struct tm *restrict ret_parts)
{
        if (!FAILS(gmtime_r))
                return NEXT(gmtime_r)(when, ret_parts);
        (void)fail();
        return NULL;
}

struct tm *localtime_r(const time_t *restrict when, struct tm *restrict ret_parts)
{
        if (!FAILS(localtime_r))
                return NEXT(localtime_r)(when, ret_parts);
        (void)fail();
        return NULL;
}

size_t strftime(char *restrict text, size_t size, const char *restrict format,
                const struct tm *restrict parts)
{
        if (!FAILS(strftime))
                return NEXT(strftime)(text, size, format, parts);
        memset(text, SHIM_POISON, size - 1);
        text[size - 1] = '\0';
        return 0;
}

/* --- descriptors --- */

int socket(int family, int type, int protocol)
{
        return FAILS(socket) ? fail() : NEXT(socket)(family, type, protocol);
}

int connect(int fd, const struct sockaddr *address, socklen_t len)
{
        return FAILS(connect) ? fail() : NEXT(connect)(fd, address, len);
}

int fcntl(int fd, int command, ...)
{
        va_list args;
        long argument;

        if (FAILS(fcntl))
                return fail();
        va_start(args, command);
        argument = va_arg(args, long);
        va_end(args);
        return NEXT(fcntl)(fd, command, argument);
}

int close(int fd)
{
        bool fails = FAILS(close);
        int r = NEXT(close)(fd);

        return fails ? fail() : r;
}

int poll(struct pollfd *entries, nfds_t count, int msec)
{
        if (!FAILS(poll))
                return NEXT(poll)(entries, count, msec);
        return shim.fault.error == 0 ? 0 : fail();
}

ssize_t send(int fd, const void *bytes, size_t len, int flags)
{
        if (!FAILS(send))
                return NEXT(send)(fd, bytes, len, flags);
        if (shim.fault.error == SHIM_SHORT)
                return NEXT(send)(fd, bytes, 1, flags);
        return shim.fault.error == 0 ? 0 : fail();
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
        if (!FAILS(recv))
                return NEXT(recv)(fd, bytes, len, flags);
        if (shim.fault.error == SHIM_SHORT)
                return NEXT(recv)(fd, bytes, 1, flags);
        return shim.fault.error == 0 ? 0 : fail();
}

/* --- the name service --- */

int getpwnam_r(const char *restrict name, struct passwd *restrict entry, char *restrict buffer,
               size_t size, struct passwd **restrict ret_found)
{
        if (!FAILS(getpwnam_r))
                return NEXT(getpwnam_r)(name, entry, buffer, size, ret_found);
        *ret_found = NULL;
        return shim.fault.error;
}

int getgrnam_r(const char *restrict name, struct group *restrict entry, char *restrict buffer,
               size_t size, struct group **restrict ret_found)
{
        if (!FAILS(getgrnam_r))
                return NEXT(getgrnam_r)(name, entry, buffer, size, ret_found);
        *ret_found = NULL;
        return shim.fault.error;
}

int getgrouplist(const char *name, gid_t gid, gid_t *groups, int *count)
{
        return FAILS(getgrouplist) ? -1 : NEXT(getgrouplist)(name, gid, groups, count);
}

/* --- libpam --- */

int pam_fail_delay(pam_handle_t *pamh, unsigned usec)
{
        return FAILS(pam_fail_delay) ? shim.fault.error : NEXT(pam_fail_delay)(pamh, usec);
}

int pam_get_data(const pam_handle_t *pamh, const char *name, const void **ret_data)
{
        return FAILS(pam_get_data) ? shim.fault.error : NEXT(pam_get_data)(pamh, name, ret_data);
}

int pam_set_data(pam_handle_t *pamh, const char *name, void *data,
                 void (*on_gone)(pam_handle_t *pamh, void *data, int status))
{
        return FAILS(pam_set_data) ? shim.fault.error
                                   : NEXT(pam_set_data)(pamh, name, data, on_gone);
}

int pam_get_item(const pam_handle_t *pamh, int type, const void **ret_item)
{
        return FAILS(pam_get_item) ? shim.fault.error : NEXT(pam_get_item)(pamh, type, ret_item);
}

int pam_set_item(pam_handle_t *pamh, int type, const void *item)
{
        return FAILS(pam_set_item) ? shim.fault.error : NEXT(pam_set_item)(pamh, type, item);
}

int pam_get_user(pam_handle_t *pamh, const char **ret_user, const char *question)
{
        return FAILS(pam_get_user) ? shim.fault.error
                                   : NEXT(pam_get_user)(pamh, ret_user, question);
}

int pam_putenv(pam_handle_t *pamh, const char *variable)
{
        return FAILS(pam_putenv) ? shim.fault.error : NEXT(pam_putenv)(pamh, variable);
}

int pam_prompt(pam_handle_t *pamh, int style, char **ret_answer, const char *format, ...)
{
        bool ours = is_ours(__builtin_return_address(0));
        va_list args;
        int r;

        if (FAILS(pam_prompt))
                return shim.fault.error;
        va_start(args, format);
        r = pam_vprompt(pamh, style, ret_answer, format, args);
        va_end(args);
        if (ours && ret_answer && *ret_answer)
                note(*ret_answer);
        return r;
}

void pam_syslog(const pam_handle_t *pamh, int priority, const char *format, ...)
{
        va_list args;

        (void)pamh;
        va_start(args, format);
        if (shim_on_log)
                shim_on_log(priority, format, args);
        va_end(args);
}
