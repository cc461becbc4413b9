/*
 * Gives one process a wall clock that is wrong by CLOCK_OFFSET_MS milliseconds, which may be negative.
 * Loaded with LD_PRELOAD. Clocks that count from somewhere else, the monotonic one above all, stay right.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

typedef int read_clock(clockid_t, struct timespec *);

static const long second_ns = 1000000000L;
static long long offset_ns;

__attribute__((constructor)) static void read_offset(void)
{
    const char *text = getenv("CLOCK_OFFSET_MS");
    offset_ns = text ? atoll(text) * 1000000LL : 0;
}

static int true_time(clockid_t clock, struct timespec *out)
{
    static read_clock *next;
    if (!next)
        next = (read_clock *)dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, out);
}

int clock_gettime(clockid_t clock, struct timespec *out)
{
    int failed = true_time(clock, out);
    if (failed || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return failed;
    long long shifted = (long long)out->tv_sec * second_ns + out->tv_nsec + offset_ns;
    out->tv_sec = shifted / second_ns;
    out->tv_nsec = shifted % second_ns;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return (time_t)-1;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
