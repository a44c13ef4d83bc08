/** Somebody's program that never listens. mark. */
setInterval(() => {}, 1000);
