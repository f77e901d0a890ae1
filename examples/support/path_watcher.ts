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

/** Watches paths, and describes their changes as text. */
export class PathWatcher implements Disposable {
  readonly files: InotifyDescriptor = new InotifyDescriptor();
  readonly #paths = new Map<number, string>();
  /** The paths that are gone, and until when to look for them. */
  readonly #missing = new Map<string, number>();

  /** Watches a path, at which there must be a file or a folder. */
  add(path: string): void {
    this.#paths.set(this.files.watch(path, CHANGES), path);
  }

  /** The paths that are watched. */
  get paths(): string[] {
    return [...this.#paths.values()];
  }

  /** Whether there is nothing left to watch. */
  get isEmpty(): boolean {
    return this.#paths.size === 0 && this.#missing.size === 0;
  }

  /** How long a wait may last before `look()` has something to do, in milliseconds. */
  get timeout(): number | null {
    return this.#missing.size > 0 ? RETRY : null;
  }

  /** Reads the changes. */
  *read(): Generator<string> {
    for (const event of this.files.readEvents()) {
      if ((event.mask & IN_Q_OVERFLOW) !== 0) yield* this.#restart();
      const path = this.#paths.get(event.wd);
      if (path !== undefined) yield* this.#describe(event, path);
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

  *#describe({ wd, mask, name }: InotifyEvent, path: string): Generator<string> {
    const full = name === "" ? path : `${path.replace(/\/+$/, "")}/${name}`;
    for (const [bit, what] of NAMES) {
      if ((mask & bit) !== 0) yield `${what} ${full}${(mask & IN_ISDIR) !== 0 ? "/" : ""}`;
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
    for (const wd of this.#paths.keys()) this.#remove(wd);
    for (const path of paths) {
      if (!this.#tryToAdd(path)) this.#missing.set(path, performance.now() + GRACE);
    }
    yield `watching ${this.paths.join(", ")}`;
  }

  #remove(wd: number): void {
    this.#paths.delete(wd);
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
