/**
 * Version of the API on the socket. The daemon serves the current one and the one before, so that shims
 * and daemon can be upgraded in either order.
 */
export const PROTOCOL_VERSION = 1;

/** Build version of every program; equals package.json's (a test compares them). */
export const BUILD_VERSION = '0.1.0';

/** Reply header with `PROTOCOL/BUILD`, e.g. `1/0.1.0`, on every reply of the daemon. */
export const VERSION_HEADER = 'ccwb-version';
