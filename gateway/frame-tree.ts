/**
 * The frames that wait for a socket until the next flush, as a node in a tree of frame sequences. Sessions with the
 * same waiting frames share a node, so their bytes are joined only once, however many sessions there are.
 */
export class FrameTree {
  private readonly before: FrameTree | null;
  private readonly frame: Buffer | null;
  /** Bytes of all frames up to here. */
  readonly length: number;
  private lastFrame: Buffer | null = null;
  private lastNext: FrameTree | null = null;
  private others: Map<Buffer, FrameTree> | null = null;
  private joined: Buffer | null = null;

  private constructor(before: FrameTree | null, frame: Buffer | null) {
    this.before = before;
    this.frame = frame;
    this.length = (before === null ? 0 : before.length) + (frame === null ? 0 : frame.length);
  }

  /** The node of every session with nothing waiting. Each flush begins a new tree, so that the old one can be freed. */
  static root(): FrameTree {
    return new FrameTree(null, null);
  }

  /** The node after this one for a frame that many sessions may get. */
  next(frame: Buffer): FrameTree {
    if (this.lastFrame === frame) return this.lastNext!;
    let next = this.others?.get(frame);
    if (next === undefined) {
      next = new FrameTree(this, frame);
      if (this.lastFrame !== null) {
        this.others ??= new Map();
        this.others.set(this.lastFrame, this.lastNext!);
      }
    }
    this.lastFrame = frame;
    this.lastNext = next;
    return next;
  }

  /** The node after this one for a frame that no other session gets. */
  alone(frame: Buffer): FrameTree {
    return new FrameTree(this, frame);
  }

  /** All frames up to here in one piece. */
  bytes(): Buffer {
    if (this.joined !== null) return this.joined;
    if (this.frame !== null && this.length === this.frame.length) {
      this.joined = this.frame;
      return this.joined;
    }
    const joined = Buffer.allocUnsafe(this.length);
    let end = this.length;
    for (let at: FrameTree | null = this; at !== null && at.frame !== null; at = at.before) {
      end -= at.frame.length;
      joined.set(at.frame, end);
    }
    this.joined = joined;
    return joined;
  }
}
