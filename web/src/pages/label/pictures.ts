import type { Task } from "web/tasks";

const KEPT = 12;

/** Pictures of tasks that wait, decoded before they are wanted; the newest few are held so that they stay decoded. */
export class Pictures {
  private readonly held: HTMLImageElement[] = [];

  /** Resolves when the picture is decoded, or cannot be: the screen then shows it as broken. */
  async decode(task: Pick<Task, "data">): Promise<void> {
    if (!("image" in task.data)) return;
    const picture = new Image();
    picture.src = task.data.image;
    this.held.push(picture);
    this.held.splice(0, this.held.length - KEPT);
    await picture.decode().catch(() => undefined);
  }
}
