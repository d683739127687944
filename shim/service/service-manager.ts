/** A file of the service: where the service manager looks for it, and what belongs in it. */
export type ServiceFile = { path: string; text: string };

export type ServiceState = {
  /** Whether it starts with the user's login. */
  enabled: boolean;
  /** The daemon that the service manager started, while it runs. */
  pid: number | undefined;
  /** Whether the next connection starts the daemon: a look at the socket would be one. */
  listening: boolean;
};

/** The service manager of this user. Each order ends within a few seconds, done or with an error. */
export type ServiceManager = {
  name: 'systemd' | 'launchd';
  /** The command that tells a person why something failed. */
  inquiry: string;
  /** @throws CcwbError ERR_INSTALL_INCOMPLETE, ERR_SERVICE_FAILED for a folder that cannot be named in them. */
  files(): ServiceFile[];
  /** A look at the disk, without asking the service manager. */
  installed(): boolean;
  /** @throws CcwbError ERR_SERVICE_UNAVAILABLE when there is none, or it does not answer. */
  available(): Promise<void>;
  state(): Promise<ServiceState>;
  /** Takes over files that are new or have changed, and starts the service with each login from now on. */
  enable(): Promise<void>;
  start(): Promise<void>;
  /** Starts it for a caller who waits, and has another way when that fails; does not throw. */
  wake(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the service and removes every trace of it, whatever of it is there. */
  remove(): Promise<void>;
  /** Whether the service outlives the user's last login; undefined where that is no question. */
  lingers(): boolean | undefined;
};

/** Time limits in milliseconds. */
export const MANAGER_TIMING = {
  /** One order: reading all units again takes a moment on a slow disk. */
  orderMs: 10_000,
  /** Stopping: longer than the units let a daemon take, which may be waiting for a provider. */
  stopMs: 40_000,
  /** Only taking the order to start, while a caller waits. */
  wakeMs: 2_000,
} as const;
