/** What the file system says, in words a person can act on. */
import { MidcourseError, userError } from "#kernel/errors.ts";

const fullAdvice = "Free some space, then run the same command again: it goes on from the last checkpoint.";
const otherDisk = "Choose a folder on an ordinary disk.";
const inTheWay = "Choose another run folder, or move that file away.";

const failures: Record<string, { code: string; said: string; advice: string }> = {
  ENOSPC: { code: "disk-full", said: "the disk is full", advice: fullAdvice },
  EDQUOT: { code: "disk-full", said: "the disk quota is used up", advice: fullAdvice },
  EFBIG: {
    code: "disk-full",
    said: "the file would be larger than this file system or account allows",
    advice: "Choose another folder.",
  },
  EIO: { code: "disk-broken", said: "the disk reported an input/output error", advice: "Check the disk, or choose another one." },
  ENOENT: { code: "not-there", said: "it does not exist", advice: "Check the path." },
  EACCES: { code: "not-writable", said: "permission is denied", advice: "Choose a folder that this user may write to." },
  EPERM: { code: "not-writable", said: "the operation is not permitted", advice: "Choose a folder that this user may write to." },
  EROFS: { code: "not-writable", said: "the file system is read-only", advice: "Choose a folder on a writable disk." },
  ENOTDIR: { code: "not-a-folder", said: "a part of the path is a file", advice: inTheWay },
  EISDIR: { code: "not-a-file", said: "a folder of that name is in the way", advice: "Give the name of a file." },
  ENAMETOOLONG: { code: "not-there", said: "the name is too long", advice: "Choose a shorter one." },
  ELOOP: { code: "not-there", said: "its symbolic links go round in a circle", advice: "Check the path." },
  ENOTSUP: { code: "not-writable", said: "the file system cannot do this", advice: otherDisk },
  EOPNOTSUPP: { code: "not-writable", said: "the file system cannot do this", advice: otherDisk },
  ENOSYS: { code: "not-writable", said: "the file system cannot do this", advice: otherDisk },
  EINVAL: { code: "not-writable", said: "the file system refuses this", advice: otherDisk },
  EBUSY: { code: "not-writable", said: "it is in use", advice: "Wait until it is free, or choose another folder." },
  ESTALE: { code: "disk-broken", said: "the mount is no longer there", advice: otherDisk },
  ENOTCONN: { code: "disk-broken", said: "the mount is no longer there", advice: otherDisk },
  EEXIST: { code: "not-a-folder", said: "a file of that name is in the way", advice: inTheWay },
};

/** `doing` completes “cannot …”: `write runs/a/metrics.jsonl`. Errors that already speak to the user pass unchanged. */
export function fileFailure(error: unknown, doing: string): unknown {
  if (MidcourseError.isInstance(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const known = code === undefined ? undefined : failures[code];
  return known === undefined ? error : userError(known.code, `cannot ${doing}: ${known.said}`, known.advice, error);
}

/** Runs file work and translates what goes wrong. */
export function guarded<T>(doing: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileFailure(error, doing);
  }
}
