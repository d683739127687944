/**
 * System calls that Node has no function for, made through koffi. Each function returns undefined where
 * koffi cannot be loaded or the platform has no such call.
 *
 * The numbers are those of Linux on x64 and arm64, and of macOS. Those of macOS were read from the XNU headers
 * named beside them; nothing here has been run there.
 */
import { createRequire } from 'node:module';

type Koffi = typeof import('koffi');

/** flock(2): exclusive, and an error instead of waiting. The same values on Linux and macOS. */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** setrlimit(2). The same value on Linux and macOS (sys/resource.h). */
const RLIMIT_CORE = 4;

/** prctl(2), Linux. */
const PR_SET_DUMPABLE = 4;
/** ptrace(2), macOS (sys/ptrace.h). */
const PT_DENY_ATTACH = 31;

/** getsockopt(2), Linux: unix(7). */
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
/** getsockopt(2), macOS (sys/un.h). */
const SOL_LOCAL = 0;
const LOCAL_PEERPID = 2;

/** proc_pidinfo, macOS (sys/proc_info.h): the size of `struct proc_bsdshortinfo` and the offsets of its fields. */
const PROC_PIDT_SHORTBSDINFO = 13;
const SHORT_INFO = { bytes: 64, parent: 4, name: 16, nameBytes: 16 } as const;
/** PROC_PIDPATHINFO_MAXSIZE of the same header. */
const PATH_BYTES = 4_096;

const platform = ['x64', 'arm64'].includes(process.arch) ? process.platform : undefined;

/** The process that connected, as the kernel noted it then; `pid` is undefined where the kernel does not name it. */
export type PeerCredentials = { pid: number | undefined; uid: number; gid: number };

let koffi: ReturnType<Koffi['load']> | 'unavailable' | undefined;
const functions = new Map<string, unknown>();

/** Returns the function of this process' C library with this declaration; undefined where there is none. */
function libc<F extends (...args: never[]) => number>(declaration: string): F | undefined {
  if (!functions.has(declaration)) functions.set(declaration, resolve(declaration));
  return functions.get(declaration) as F | undefined;
}

function resolve(declaration: string): unknown {
  if (koffi === 'unavailable') return undefined;
  try {
    // Without a name: the symbols that the running process has already, of any C library.
    koffi ??= (createRequire(import.meta.url)('koffi') as Koffi).load(null);
  } catch {
    koffi = 'unavailable';
    return undefined;
  }
  try {
    return koffi.func(declaration);
  } catch {
    return undefined;
  }
}

/**
 * Takes an exclusive lock on an open file without waiting (flock(2)). The kernel releases it when the
 * descriptor is closed, however the process ends.
 *
 * @returns true if this process has the lock now; undefined where the call is not available.
 */
export function tryLock(fd: number): boolean | undefined {
  const flock = libc<(fd: number, operation: number) => number>('int flock(int fd, int operation)');
  return flock && flock(fd, LOCK_EX | LOCK_NB) === 0;
}

/** Returns the process at the other end of a connected Unix socket; undefined for any other descriptor. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  if (platform === 'linux') return linuxPeer(fd);
  if (platform === 'darwin') return macosPeer(fd);
  return undefined;
}

type Getsockopt = (fd: number, level: number, name: number, value: Int32Array, length: Uint32Array) => number;
const GETSOCKOPT = 'int getsockopt(int fd, int level, int name, void *value, void *length)';

function linuxPeer(fd: number): PeerCredentials | undefined {
  // struct ucred: pid, uid, gid.
  const credentials = new Int32Array(3);
  const length = Uint32Array.of(credentials.byteLength);
  const status = libc<Getsockopt>(GETSOCKOPT)?.(fd, SOL_SOCKET, SO_PEERCRED, credentials, length);
  if (status !== 0 || length[0] !== credentials.byteLength) return undefined;
  const [pid = 0, uid = -1, gid = -1] = credentials;
  // uid -1: a socket of another kind, without a peer. pid 0: a peer in a PID namespace that is not below ours.
  return uid === -1 ? undefined : { pid: pid > 0 ? pid : undefined, uid: uid >>> 0, gid: gid >>> 0 };
}

function macosPeer(fd: number): PeerCredentials | undefined {
  const uid = new Uint32Array(1);
  const gid = new Uint32Array(1);
  const getpeereid = libc<(fd: number, uid: Uint32Array, gid: Uint32Array) => number>(
    'int getpeereid(int fd, void *uid, void *gid)',
  );
  if (getpeereid?.(fd, uid, gid) !== 0) return undefined;
  const pid = new Int32Array(1);
  const length = Uint32Array.of(pid.byteLength);
  const told = libc<Getsockopt>(GETSOCKOPT)?.(fd, SOL_LOCAL, LOCAL_PEERPID, pid, length) === 0;
  const known = told && pid[0] !== undefined && pid[0] > 0 ? pid[0] : undefined;
  return { pid: known, uid: uid[0] ?? 0, gid: gid[0] ?? 0 };
}

/** Returns parent and name of a process on macOS; undefined when it has ended, and on other systems. */
export function macosProcess(pid: number): { parent: number; name: string } | undefined {
  if (platform !== 'darwin') return undefined;
  const proc_pidinfo = libc<
    (pid: number, flavor: number, arg: number, buffer: Buffer, bytes: number) => number
  >('int proc_pidinfo(int pid, int flavor, uint64_t arg, void *buffer, int bytes)');
  const info = Buffer.alloc(SHORT_INFO.bytes);
  if (proc_pidinfo?.(pid, PROC_PIDT_SHORTBSDINFO, 0, info, info.length) !== info.length) return undefined;
  const name = info.subarray(SHORT_INFO.name, SHORT_INFO.name + SHORT_INFO.nameBytes).toString('utf8');
  return { parent: info.readUInt32LE(SHORT_INFO.parent), name: name.replace(/\0.*$/s, '') };
}

/** Returns the file that a process on macOS runs; undefined when it has ended or cannot be read. */
export function macosProgram(pid: number): string | undefined {
  if (platform !== 'darwin') return undefined;
  const proc_pidpath = libc<(pid: number, buffer: Buffer, bytes: number) => number>(
    'int proc_pidpath(int pid, void *buffer, uint32_t bytes)',
  );
  const path = Buffer.alloc(PATH_BYTES);
  const bytes = proc_pidpath?.(pid, path, path.length) ?? 0;
  return bytes > 0 ? path.toString('utf8', 0, bytes) : undefined;
}

/**
 * Forbids core dumps of this process and of its future children.
 *
 * @returns true on success; undefined where the call is not available.
 */
export function forbidCoreDumps(): boolean | undefined {
  if (platform !== 'linux' && platform !== 'darwin') return undefined;
  // struct rlimit: soft and hard limit, 64 bits each.
  const none = new BigUint64Array(2);
  const setrlimit = libc<(resource: number, limit: BigUint64Array) => number>(
    'int setrlimit(int resource, void *limit)',
  );
  return setrlimit && setrlimit(RLIMIT_CORE, none) === 0;
}

/**
 * Protects this process' memory from other programs of this user: no debugger may attach, and on Linux only
 * root can read /proc/PID/mem, environ and the like. Child processes are not protected.
 *
 * On macOS the call ends a process to which a debugger is already attached.
 *
 * @returns true on success; undefined where the call is not available.
 */
export function forbidDebuggers(): boolean | undefined {
  if (platform === 'linux') {
    const prctl = libc<(option: number, ...args: [number, number, number, number]) => number>(
      'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
    );
    return prctl && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) === 0;
  }
  if (platform === 'darwin') {
    const ptrace = libc<(request: number, pid: number, address: null, data: number) => number>(
      'int ptrace(int request, int pid, void *address, int data)',
    );
    return ptrace && ptrace(PT_DENY_ATTACH, 0, null, 0) === 0;
  }
  return undefined;
}
