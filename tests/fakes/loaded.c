/* A library that says so on standard error when it is loaded, and has no calls. */

#include <stdio.h>

__attribute__((constructor)) static void loaded(void) {
  fputs("loaded a library from the current folder\n", stderr);
}
