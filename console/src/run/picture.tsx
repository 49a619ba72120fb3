import { useEffect, useLayoutEffect, useRef, type KeyboardEvent, type PointerEvent } from 'react';

/** The world's point at the top left, and how many pixels one of its units has. */
export interface View {
  x: number;
  y: number;
  scale: number;
}

export interface Size {
  width: number;
  height: number;
}

const tokens = ['page', 'raised', 'line', 'text', 'quiet', 'accent', 'good', 'warn', 'bad', 'busy'] as const;
export type Colours = Record<(typeof tokens)[number], string>;

export interface Scene {
  /** Of all there is to see, in the world's units. */
  bounds: Size;
  /** Timelines are stretched sideways only. */
  zooms: 'sideways' | 'both';
  /** So many pixels on the left are for the names of what is beside them: the world begins after them. */
  gutter?: number;
  draw(pen: CanvasRenderingContext2D, view: View, size: Size, colours: Colours): void;
  /** The thing that is nearest to a point of the world. Of it something is always in view. */
  nearest?(x: number, y: number): { x: number; y: number } | null;
  /** What is there, if anything. In pixels of the picture. */
  at(x: number, y: number, view: View): string | null;
}

/**
 * A picture that can be moved and zoomed: by pointer, by touch, and by keyboard (arrows, + and -, 0 for all of it).
 * What it shows must stand elsewhere in words as well.
 */
export function Picture({
  scene,
  label,
  height,
  centre,
  onPick,
  onPoint,
}: {
  scene: Scene;
  label: string;
  height: number;
  /** A point that is to be seen, whenever it is another one. */
  centre?: { x: number; y: number } | null;
  onPick: (id: string | null) => void;
  onPoint?: (id: string | null) => void;
}) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const state = useRef<State>(null);
  state.current ??= new State();
  const its = state.current;
  its.scene = scene;

  useLayoutEffect(() => its.mount(canvas.current!), [its]);
  useLayoutEffect(() => its.show(), [its, scene, height]);
  useEffect(() => {
    if (centre !== null && centre !== undefined) its.centre(centre);
  }, [its, centre]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = 60;
    const moves: Record<string, () => void> = {
      ArrowLeft: () => its.move(step, 0),
      ArrowRight: () => its.move(-step, 0),
      ArrowUp: () => its.move(0, step),
      ArrowDown: () => its.move(0, -step),
      '+': () => its.zoom(1.25),
      '=': () => its.zoom(1.25),
      '-': () => its.zoom(0.8),
      '0': () => its.fit(),
    };
    const move = moves[event.key];
    if (move === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    move();
  };

  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const moved = useRef(0);
  const onPointerDown = ({ pointerId, nativeEvent, currentTarget }: PointerEvent<HTMLCanvasElement>) => {
    currentTarget.setPointerCapture(pointerId);
    pointers.current.set(pointerId, { x: nativeEvent.offsetX, y: nativeEvent.offsetY });
    if (pointers.current.size === 1) moved.current = 0;
  };
  const onPointerMove = ({ pointerId, nativeEvent, currentTarget }: PointerEvent<HTMLCanvasElement>) => {
    const now = { x: nativeEvent.offsetX, y: nativeEvent.offsetY };
    const before = pointers.current.get(pointerId);
    if (before === undefined) {
      const id = its.at(now.x, now.y);
      currentTarget.style.cursor = id === null ? 'grab' : 'pointer';
      onPoint?.(id);
      return;
    }
    const other = [...pointers.current].find(([id]) => id !== pointerId)?.[1];
    if (other === undefined) its.move(now.x - before.x, now.y - before.y);
    else {
      const [wasApart, isApart] = [distance(before, other), distance(now, other)];
      if (wasApart > 0) its.zoom(isApart / wasApart, { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 });
    }
    moved.current += distance(before, now);
    pointers.current.set(pointerId, now);
  };
  const onPointerUp = ({ pointerId, nativeEvent, type }: PointerEvent<HTMLCanvasElement>) => {
    const wasAlone = pointers.current.size === 1;
    const wasDown = pointers.current.delete(pointerId);
    if (wasDown && wasAlone && type === 'pointerup' && moved.current < 5)
      onPick(its.at(nativeEvent.offsetX, nativeEvent.offsetY));
  };

  return (
    <div className="picture">
      <canvas
        ref={canvas}
        role="img"
        aria-label={label}
        tabIndex={0}
        style={{ height, touchAction: scene.zooms === 'both' ? 'none' : 'pan-y' }}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={onPointerUp}
        onPointerLeave={() => onPoint?.(null)}
      />
      <div className="picture-tools">
        <button type="button" aria-label="Zoom in" onClick={() => its.zoom(1.5)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => its.zoom(1 / 1.5)}>
          −
        </button>
        <button type="button" onClick={() => its.fit()}>
          Fit
        </button>
      </div>
    </div>
  );
}

/** Where the picture is looked at from. Draws at most once a frame. */
class State {
  scene!: Scene;
  #view: View | null = null;
  #size: Size = { width: 0, height: 0 };
  #canvas!: HTMLCanvasElement;
  #colours!: Colours;
  #frame: number | undefined;
  /** Nobody has moved it yet: all of it stays in view as it grows. */
  #isWhole = true;

  mount(canvas: HTMLCanvasElement): () => void {
    this.#canvas = canvas;
    this.#colours = coloursOf(canvas);
    const resized = new ResizeObserver(() => this.#resize());
    resized.observe(canvas);
    const isDark = matchMedia('(prefers-color-scheme: dark)');
    const recolour = () => {
      this.#colours = coloursOf(canvas);
      this.show();
    };
    isDark.addEventListener('change', recolour);
    // The page scrolls with the wheel; with Ctrl, and by pinching, the picture is zoomed.
    const wheel = (event: WheelEvent) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY / 200), { x: event.offsetX, y: event.offsetY });
    };
    canvas.addEventListener('wheel', wheel, { passive: false });
    return () => {
      resized.disconnect();
      isDark.removeEventListener('change', recolour);
      canvas.removeEventListener('wheel', wheel);
      if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
      this.#frame = undefined;
    };
  }

  at(x: number, y: number): string | null {
    return this.#view === null ? null : this.scene.at(x, y, this.#view);
  }

  show(): void {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = undefined;
      this.#draw();
    });
  }

  fit(): void {
    this.#isWhole = true;
    this.show();
  }

  move(right: number, down: number): void {
    const view = this.#moving();
    view.x -= right / view.scale;
    view.y -= down / (this.scene.zooms === 'both' ? view.scale : 1);
    this.#keepInSight(view);
    this.show();
  }

  zoom(by: number, around = { x: this.#size.width / 2, y: this.#size.height / 2 }): void {
    const view = this.#moving();
    const least = this.#whole().scale;
    const most = this.scene.zooms === 'both' ? 2 : least * 2_000;
    const scale = Math.min(most, Math.max(least, view.scale * by));
    const x = around.x - (this.scene.gutter ?? 0);
    view.x += x / view.scale - x / scale;
    if (this.scene.zooms === 'both') view.y += around.y / view.scale - around.y / scale;
    view.scale = scale;
    this.#keepInSight(view);
    this.show();
  }

  centre({ x, y }: { x: number; y: number }): void {
    const view = this.#moving();
    const { width, height } = this.#size;
    if (this.scene.zooms === 'both') view.scale = Math.max(view.scale, 0.8);
    view.x = x - width / 2 / view.scale;
    view.y = this.scene.zooms === 'both' ? y - height / 2 / view.scale : view.y;
    this.#keepInSight(view);
    this.show();
  }

  #moving(): View {
    this.#view ??= this.#whole();
    this.#isWhole = false;
    return this.#view;
  }

  /** The middle of the window stays within what there is to see, and something of it in view. */
  #keepInSight(view: View): void {
    const { bounds, zooms, gutter = 0 } = this.scene;
    const [right, down] = [(this.#size.width - gutter) / 2 / view.scale, this.#size.height / 2 / view.scale];
    view.x = Math.min(bounds.width - right, Math.max(-right, view.x));
    view.y = zooms === 'both' ? Math.min(bounds.height - down, Math.max(-down, view.y)) : 0;
    const nearest = this.scene.nearest?.(view.x + right, view.y + down);
    if (nearest === undefined || nearest === null) return;
    const edge = 48 / view.scale;
    view.x = Math.min(nearest.x - edge, Math.max(nearest.x + edge - 2 * right, view.x));
    view.y = Math.min(nearest.y - edge, Math.max(nearest.y + edge - 2 * down, view.y));
  }

  #whole(): View {
    const { width, height } = this.#size;
    const { bounds, zooms, gutter = 0 } = this.scene;
    const across = Math.max(1, width - gutter) / Math.max(bounds.width, 1e-3);
    if (zooms === 'sideways') return { x: 0, y: 0, scale: across };
    const margin = 24;
    const scale = Math.min(
      1,
      Math.max(1, width - margin) / Math.max(bounds.width, 1),
      Math.max(1, height - margin) / Math.max(bounds.height, 1),
    );
    return {
      x: (bounds.width - width / scale) / 2,
      y: (bounds.height - height / scale) / 2,
      scale,
    };
  }

  #resize(): void {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const dots = devicePixelRatio;
    this.#size = { width, height };
    this.#canvas.width = Math.round(width * dots);
    this.#canvas.height = Math.round(height * dots);
    // At once: a canvas that was given a size is empty.
    this.#draw();
  }

  #draw(): void {
    const pen = this.#canvas.getContext('2d');
    if (pen === null || this.#size.width === 0) return;
    if (this.#isWhole || this.#view === null) this.#view = this.#whole();
    const dots = devicePixelRatio;
    pen.setTransform(dots, 0, 0, dots, 0, 0);
    pen.clearRect(0, 0, this.#size.width, this.#size.height);
    this.scene.draw(pen, this.#view, this.#size, this.#colours);
  }
}

/** As the style sheet has them now, light or dark. */
function coloursOf(canvas: HTMLCanvasElement): Colours {
  const before = canvas.style.color;
  const pairs = tokens.map((token) => {
    canvas.style.color = `var(--${token})`;
    return [token, getComputedStyle(canvas).color];
  });
  canvas.style.color = before;
  return Object.fromEntries(pairs) as Colours;
}

const distance = (a: { x: number; y: number }, b: { x: number; y: number }) =>
  Math.hypot(a.x - b.x, a.y - b.y);

/** The beginning of the text that is no wider, with an ellipsis. */
export function fitted(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (pen.measureText(text).width <= width) return text;
  const share = width / pen.measureText(text).width;
  const cut = text.slice(0, Math.max(0, Math.floor(text.length * share) - 1));
  return cut === '' ? '' : `${cut}…`;
}
