/*
 * A stub of kqueue that records the changes and returns scripted events, whatever the layout, to
 * test KqueueSelector with events that kqueue.c never returns:
 *
 *     cc -shared -fPIC -O1 -o scripted_kqueue.so scripted_kqueue.c
 */
#include <string.h>
#include <sys/eventfd.h>

struct {
  int size;     /* sizeof(struct kevent) in the layout under test */
  int answers;  /* how many of `events` the next call returns; later calls return none */
  int nchanges; /* how many changes `changes` has, of all calls */
  int nevents;  /* of the last call */
  long long timeout[2];
  char events[4096], changes[4096];
} script;

int kqueue(void) { return eventfd(0, 0); }

int kevent(int kq, const void *changelist, int nchanges, void *eventlist, int nevents,
           const void *timeout) {
  (void)kq;
  char *end = script.changes + script.nchanges * script.size;
  if (nchanges) memcpy(end, changelist, nchanges * script.size);
  script.nchanges += nchanges;
  script.nevents = nevents;
  if (timeout) memcpy(script.timeout, timeout, sizeof script.timeout);
  int count = script.answers < nevents ? script.answers : nevents;
  script.answers = 0;
  if (count) memcpy(eventlist, script.events, count * script.size);
  return count;
}
