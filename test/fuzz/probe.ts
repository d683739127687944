/**
 * Loaded into the daemon's process ahead of the daemon: on a message it collects garbage and tells what the
 * process holds. It also says in full, on standard error, what the daemon's log has in one word only. The
 * daemon knows nothing of it.
 */
import { measured } from './measure.ts';

process.on('message', () => process.send?.(measured()));
// The channel alone must not keep the daemon alive; nor is it to outlive a fuzzer that was killed.
process.channel?.unref();
process.on('disconnect', () => process.exit(1));

const say = (thrown: unknown): void => {
  process.stderr.write(`${thrown instanceof Error ? thrown.stack : thrown}\n`);
};
process.on('uncaughtExceptionMonitor', say);
process.on('unhandledRejection', say);
// Later, as the daemon removes the listeners for warnings when it starts.
setTimeout(() => process.on('warning', say), 100).unref();
