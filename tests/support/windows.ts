/**
 * Skips, on Windows, the tests of what it lacks, by name and with the reason. It is loaded before
 * the test files: `deno test --preload tests/support/windows.ts`.
 *
 * @module
 */

/** Why tests are skipped, and the names of those. */
const SKIPPED: readonly (readonly [why: string, names: readonly (string | RegExp)[]])[] = [
  ["it has no poll that tells of failed connections everywhere", [/^PollSelector\b/]],
  ["Winsock has no dup and no dup2", [
    "SelectSelector.register() of a closed fd registers nothing where it is refused",
    "SelectSelector.modify() of the data alone makes no system call",
    "SelectSelector.modify() that is refused drops the key",
    "SelectSelector.select() reports nothing of a reused descriptor's old key",
    "SelectSelector.select() reports nothing of an open file that lives on in a duplicate",
    "SelectSelector.select() goes on after a duplicate came back under its number",
    "SelectSelector.unregister() finds a closed descriptor by its number",
    "SelectSelector.unregister() keeps an event from its number's next owner",
    "SelectSelector.waker() works beside a key whose descriptor was closed",
    "SelectSelector.select() throws OSError EBADF while a closed fd is registered",
    "SelectSelector.selectAsync() rejects with what the call on the other thread met",
    "SelectorMap can stand for a ReadonlyMap",
    "SelectorMap takes unregistering while it is listed",
    "FileDescriptor.close() leaves a descriptor that was reused alone",
    "FileDescriptor.close() closes the descriptor",
  ]],
  ["its sets are lists of handles, without bits", [
    "SelectSelector.select() takes descriptors above 1023",
    "SelectSelector.select() takes every bit of a word",
    "SelectSelector.unregister() of the highest lets the sets shrink",
  ]],
  ["its select takes sockets alone", [
    "SelectSelector.select() takes a regular file as always ready",
    "wake() throws OSError for a file that cannot be written",
    /^FileDescriptor\.read\(\) throws OSError when the descriptor is a folder/,
  ]],
  ["Winsock says ENOTSOCK of a closed handle, not EBADF", [
    /^wake\(\) throws OSError EBADF/,
    /^(closeDescriptor|setBlocking|setCloseOnExec)\(\) .*throws OSError EBADF/,
    /^FileDescriptor\.(close|setBlocking)\(\) .*throws/,
    "FileDescriptor.setBlocking() throws OSError when it is closed",
  ]],
  ["it looks at a descriptor with fcntl or at libc itself", [
    "openWakeDescriptor() opens what counts wakes",
    "makePipe() makes a pipe that neither blocks nor is inherited",
    "setBlocking() makes calls return at once, or wait",
    "setCloseOnExec() keeps a descriptor from programs",
    /^lib(c|rary)Calls\(\) (opens|gives null|throws NotSupported)/,
    /^lastErrno\(\) is /,
  ]],
  ["the system's words and names are its own", [
    "OSError says what was attempted, why it failed and in which call",
    "OSError gives every number of the table a name of its own",
    "constants are 32-bit integers, named as in C",
    /^resolve(rError)?\(\) (throws|tells)/,
    /^Socket throws OSError when the name cannot be resolved/,
    /^\w+\.ts exits with 1 and says so when the port is in use/,
  ]],
  ["Wine has no Unix sockets, and Windows none for datagrams", [
    /\(Unix\)$/,
    /^Socket throws (TypeError when the address is of another family|RangeError when the path)/,
    "Socket.recvFrom() tells an empty path of a sender without a name",
    "Socket.sendTo() and send() return WOULD_BLOCK when there is no room",
    "Socket.recvFrom() receives from a pair",
  ]],
  ["a pipe is a pair of sockets there", [
    /^FileDescriptor\.(read|write)\(\) throws OSError when the descriptor is for/,
    "FileDescriptor.write() throws OSError when nobody reads any more",
    "FileDescriptor.write() writes as many bytes as there is room for",
    "FileDescriptor.write() throws EPIPE in a program that does nothing against SIGPIPE",
    "pipe() leads from the writer to the reader",
  ]],
  ["a datagram that nobody took is not told of", [
    "Socket.recv() and recvFrom() throw ECONNREFUSED when nobody took the datagram",
  ]],
  ["a send without a peer is ENOTCONN", [
    "Socket.send() throws OSError when a datagram socket is not connected",
  ]],
  ["timeouts are milliseconds there, and options its own", [
    /^Socket\.setOption\(\) takes the bytes of a struct timeval/,
    /^Socket\.setOption\(\) takes the bytes of a struct linger/,
    /\(TCP_KEEPIDLE\)$/,
  ]],
  ["it looks at the waking descriptor as at an eventfd", [/ ticks after a trip$/]],
  ["the error of a failed connection stays when it was read", [
    "Socket.getOption() with SO_ERROR clears the error, as error() does",
    "Socket.error() tells that the connection was refused, and forgets it",
  ]],
  ["its calls and errors have names of its own: accept, recv, send, ESHUTDOWN, WSAEACCES", [
    /^Socket\.accept\(\) throws OSError when the socket (does not listen|is for datagrams)/,
    "FileDescriptor.read() throws OSError when it is closed",
    "FileDescriptor.write() throws OSError when it is closed",
    /^Socket\.send\(\) throws OSError when the connection is shut down/,
    /^Socket\.shutdown\(.*\) (ends|lets)/,
    /^Socket\.bind\(\) throws OSError when the (address is in use|folder is not there)/,
    /^Socket\.connect\(\) throws OSError when the path is not there/,
    "Socket.connect() returns true when it is connected at once",
    "Socket.remoteAddress throws OSError when the socket is not connected",
  ]],
  ["its flags are fewer (no MSG_DONTWAIT)", [
    /with MSG_(OOB|WAITALL|DONTWAIT) /,
    "Socket.setBlocking() makes recv() wait",
    /^Socket\.recv\(\) does not wait with MSG_DONTWAIT/,
  ]],
  ["a pair is a connection over loopback, with addresses and reads that wait", [
    "FileDescriptor.read() and write() of no bytes return 0",
    "Socket.recvFrom() tells of a stream whose it is",
    "the socket module needs no permission but --allow-ffi",
    "the socket module leaves no descriptor behind",
  ]],
  ["its paths are its own", [
    "the socket module throws NotCapable that names the flag without permission",
  ]],
  ["it reports resets and full buffers in its own way", [
    "Socket.accept() does not throw when a connection was reset before",
    "Socket.recv() throws ECONNRESET when the peer reset the connection",
    "Socket.send() sends as many bytes as there is room for",
    /^Socket\.recvFrom\(\) loses nothing of a connection that is over/,
  ]],
  ["its command lines are shorter, and processes end there without signals", [
    "echo_client.ts gets back more than any buffer holds",
    /^echo\.ts --backend \w+ echoes 200 connections/,
  ]],
  ["signals end programs there without listeners", [/^\w+\.ts ends at SIG/]],
];

if (Deno.build.os === "windows") {
  const declare = Deno.test as unknown as (...args: unknown[]) => void;
  const skip = (name: string): boolean => {
    const reason = SKIPPED.find(([, names]) =>
      names.some((one) => typeof one === "string" ? one === name : one.test(name))
    )?.[0];
    if (reason !== undefined) console.log(`Skipped on Windows: ${name}: ${reason}`);
    return reason !== undefined;
  };
  (Deno as { test: unknown }).test = Object.assign((...args: unknown[]) => {
    const [first] = args;
    if (typeof first === "string" && typeof args.at(-1) === "function") {
      declare({ name: first, ignore: skip(first), fn: args.at(-1) });
    } else if (typeof first === "object") {
      const { name, ignore } = first as Deno.TestDefinition;
      declare({ ...first, ignore: ignore || skip(name) });
    } else {
      declare(...args);
    }
  }, declare);
}
