/**
 * Watches paths for `watch.ts`, also when the files at them are replaced.
 *
 * @module
 */

import { OSError } from "@readiness/selectors";
import {
  IN_ATTRIB,
  IN_CLOSE_WRITE,
  IN_CREATE,
  IN_DELETE,
  IN_DELETE_SELF,
  IN_IGNORED,
  IN_ISDIR,
  IN_MODIFY,
  IN_MOVE_SELF,
  IN_MOVED_FROM,
  IN_MOVED_TO,
  IN_Q_OVERFLOW,
  InotifyDescriptor,
  type InotifyEvent,
} from "@readiness/selectors/fd";
import { warn } from "./output.ts";

/** The names of the changes. Reading is not one, or a command that reads would run itself again. */
const NAMES = new Map([
  [IN_CREATE, "created"],
  [IN_MODIFY, "modified"],
  [IN_CLOSE_WRITE, "written"],
  [IN_ATTRIB, "attributes of"],
  [IN_MOVED_FROM, "moved from"],
  [IN_MOVED_TO, "moved to"],
  [IN_DELETE, "deleted"],
  [IN_DELETE_SELF, "deleted"],
  [IN_MOVE_SELF, "moved"],
]);
const CHANGES = [...NAMES.keys()].reduce((mask, bit) => mask | bit);

/**
 * How long to look for a path that is gone, in milliseconds: an editor may be replacing the file.
 */
const GRACE = 1000;

/** How often to look for it, in milliseconds. */
const RETRY = 50;

/** Something that is watched. */
interface Watch {
  readonly path: string;
  /** Whether it is watched as a part of a folder above it. */
  readonly isNested: boolean;
}

/** Watches paths, and describes their changes as text. */
export class PathWatcher implements Disposable {
  readonly files: InotifyDescriptor = new InotifyDescriptor();
  readonly #isRecursive: boolean;
  readonly #watches = new Map<number, Watch>();
  /** The paths that are gone, and until when to look for them. */
  readonly #missing = new Map<string, number>();

  /** @param isRecursive Whether to watch subfolders as well */
  constructor(isRecursive: boolean) {
    this.#isRecursive = isRecursive;
  }

  /** Watches a path, at which there must be a file or a folder. */
  add(path: string): void {
    this.#watches.set(this.files.watch(path, CHANGES), { path, isNested: false });
    if (this.#isRecursive && Deno.lstatSync(path).isDirectory) this.#addFolders(path);
  }

  /** Watches the folders in a folder. Returns everything that is in it. */
  #addFolders(folder: string): string[] {
    const found: string[] = [];
    try {
      for (const { name, isDirectory } of Deno.readDirSync(folder)) {
        const path = join(folder, name);
        found.push(isDirectory ? `${path}/` : path);
        if (isDirectory) found.push(...this.#addFolder(path));
      }
    } catch (error) {
      skipMissing(error);
    }
    return found;
  }

  #addFolder(path: string): string[] {
    try {
      const wd = this.files.watch(path, CHANGES);
      if (this.#watches.get(wd)?.isNested !== false) {
        this.#watches.set(wd, { path, isNested: true });
      }
    } catch (error) {
      skipMissing(error);
      return [];
    }
    return this.#addFolders(path);
  }

  /** The paths that are watched, without the folders in them. */
  get paths(): string[] {
    return this.#watches.values().filter(({ isNested }) => !isNested).map(({ path }) => path)
      .toArray();
  }

  /** Whether there is nothing left to watch. */
  get isEmpty(): boolean {
    return this.paths.length === 0 && this.#missing.size === 0;
  }

  /** How long a wait may last before `look()` has something to do, in milliseconds. */
  get timeout(): number | null {
    return this.#missing.size > 0 ? RETRY : null;
  }

  /** Reads the changes. */
  *read(): Generator<string> {
    for (const event of this.files.readEvents()) {
      if ((event.mask & IN_Q_OVERFLOW) !== 0) yield* this.#restart();
      const watch = this.#watches.get(event.wd);
      if (watch !== undefined) yield* this.#describe(event, watch);
    }
  }

  /** Looks for the paths that are gone, and gives them up after a while. */
  *look(): Generator<string> {
    for (const [path, deadline] of this.#missing) {
      if (this.#tryToAdd(path)) yield `created ${path}`;
      else if (performance.now() < deadline) continue;
      else yield `gone ${path}`;
      this.#missing.delete(path);
    }
  }

  [Symbol.dispose](): void {
    this.files.close();
  }

  *#describe({ wd, mask, name }: InotifyEvent, { path, isNested }: Watch): Generator<string> {
    if (name === "" && isNested) { // The folder above it reports the same.
      if ((mask & IN_IGNORED) !== 0) this.#watches.delete(wd);
      return;
    }
    const full = name === "" ? path : join(path, name);
    const isFolder = (mask & IN_ISDIR) !== 0;
    for (const [bit, what] of NAMES) {
      if ((mask & bit) !== 0) yield `${what} ${full}${isFolder ? "/" : ""}`;
    }
    if (name !== "" && isFolder && this.#isRecursive) {
      if ((mask & IN_MOVED_FROM) !== 0) this.#removeFolder(full);
      if ((mask & (IN_CREATE | IN_MOVED_TO)) !== 0) {
        // What was created in it before it was watched. New files may be reported twice.
        for (const found of this.#addFolder(full)) yield `created ${found}`;
      }
    }
    // Editors replace the file with a new one, so the path is watched, not the file.
    if ((mask & (IN_IGNORED | IN_MOVE_SELF)) === 0) return;
    this.#remove(wd);
    this.#missing.set(path, performance.now() + GRACE);
    yield* this.look();
  }

  /** Watches all paths again: the lost events may have been about the ends of watches. */
  *#restart(): Generator<string> {
    yield "overflow: some changes were lost";
    const { paths } = this;
    for (const wd of this.#watches.keys()) this.#remove(wd);
    for (const path of paths) {
      if (!this.#tryToAdd(path)) this.#missing.set(path, performance.now() + GRACE);
    }
    yield `watching ${this.paths.join(", ")}`;
  }

  #removeFolder(folder: string): void {
    for (const [wd, { path }] of this.#watches) {
      if (path === folder || path.startsWith(`${folder}/`)) this.#remove(wd);
    }
  }

  #remove(wd: number): void {
    this.#watches.delete(wd);
    try {
      this.files.unwatch(wd);
    } catch (error) {
      // The file has been removed, and the watch with it.
      if (!(error instanceof OSError) || error.code !== "EINVAL") throw error;
    }
  }

  #tryToAdd(path: string): boolean {
    try {
      this.add(path);
      return true;
    } catch (error) {
      if (!(error instanceof OSError) || error.code !== "ENOENT") throw error;
      return false;
    }
  }
}

function join(folder: string, name: string): string {
  return `${folder.replace(/\/+$/, "")}/${name}`;
}

/** Skips a folder that is gone by now, or that is not for this user. */
function skipMissing(error: unknown): void {
  const isGone = error instanceof Deno.errors.NotFound ||
    error instanceof OSError && error.code === "ENOENT";
  const isForbidden = error instanceof Deno.errors.PermissionDenied ||
    error instanceof OSError && error.code === "EACCES";
  if (isForbidden) warn((error as Error).message);
  else if (!isGone) throw error;
}
