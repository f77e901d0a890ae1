/** Interest in, or readiness for, reading: `1`. */
export const EVENT_READ = 1;

/** Interest in, or readiness for, writing: `2`. */
export const EVENT_WRITE = 2;
