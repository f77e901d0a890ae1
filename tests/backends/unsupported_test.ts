import { assertEquals, assertInstanceOf } from "@std/assert";
import { unsupported } from "../../backends/unsupported.ts";

Deno.test("unsupported() says what is missing where, and what there is instead", () => {
  const error = unsupported("EpollSelector", "epoll_create1");
  assertInstanceOf(error, Deno.errors.NotSupported);
  assertEquals(
    error.message,
    `Cannot make an EpollSelector: ${Deno.build.os} has no epoll_create1; ` +
      "DefaultSelector takes what the system has",
  );
});
