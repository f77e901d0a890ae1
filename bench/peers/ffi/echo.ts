/**
 * An echo server: see ../c/echo.c.
 *
 * @module
 */

import { input, serve } from "./server.ts";

serve(input, (_fd, size) => size);
