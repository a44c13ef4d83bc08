/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The interactive flame graph: runs in the page, once per <figure class="flame">. See docs/flamegraphs.md for keys. */
import { decodeGraph } from './payload.js';
import { describeNode, draw, percent, standaloneSvg } from './render.js';

function mount(figure: HTMLElement): void {
  const part = <E extends Element>(selector: string): E => figure.querySelector<E>(selector)!;
  const graph = decodeGraph(JSON.parse(part('script').textContent ?? ''));
  const svg = part<SVGSVGElement>('svg.flame-graph');
  const search = part<HTMLInputElement>('input[type=search]');
  const found = part<HTMLOutputElement>('output');
  const status = part<HTMLElement>('.flame-status');
  const reset = part<HTMLButtonElement>('[data-do=reset]');

  let root = 0;
  let cursor = 0;
  let rootOnTop = false;
  let matches: Set<number> | null = null;
  let drawn: number[] = [];

  const view = () => ({ root, width: Math.max(svg.clientWidth, 200), rootOnTop, matches });
  const element = (index: number) => svg.querySelector<SVGGElement>(`[data-node="${index}"]`);
  const parentOf = (index: number): number => {
    let at = index - 1;
    while (at > 0 && graph.nodes[at]!.depth >= graph.nodes[index]!.depth) at -= 1;
    return Math.max(at, 0);
  };

  function paint(): void {
    const drawing = draw(graph, view());
    drawn = drawing.drawn;
    svg.innerHTML = drawing.body;
    svg.setAttribute('height', String(drawing.height));
    reset.disabled = root === 0;
    if (!drawn.includes(cursor)) cursor = root;
    showCursor();
  }

  function showCursor(): void {
    svg.querySelector('.flame-cursor')?.classList.remove('flame-cursor');
    element(cursor)?.classList.add('flame-cursor');
    status.textContent = describeNode(graph, graph.nodes[cursor]!);
  }

  function moveTo(index: number | undefined): void {
    if (index === undefined) return;
    cursor = index;
    showCursor();
    element(cursor)?.scrollIntoView({ block: 'nearest' });
  }

  function zoom(index: number): void {
    root = index;
    cursor = index;
    paint();
  }

  /** Plain text, any case; /text/ is a regular expression. */
  function find(text: string): void {
    const pattern = /^\/(.+)\/$/.exec(text)?.[1];
    let test: ((name: string) => boolean) | null = null;
    try {
      const expression = pattern === undefined ? null : new RegExp(pattern, 'i');
      test = expression
        ? (name) => expression.test(name)
        : (name) => name.toLowerCase().includes(text.toLowerCase());
    } catch {
      found.textContent = 'not a regular expression';
      return;
    }
    matches =
      text === '' ? null : new Set(graph.nodes.flatMap((node, index) => (test(node.name) ? [index] : [])));
    found.textContent = matches ? `${matches.size} frames, ${percent(matchedShare(matches))} of all` : '';
    paint();
  }

  /** A match below another match is already counted. */
  function matchedShare(set: ReadonlySet<number>): number {
    let covered = -1;
    let sum = 0;
    graph.nodes.forEach((node, index) => {
      if (!set.has(index) || node.start < covered) return;
      covered = node.start + node.value;
      sum += node.value;
    });
    return sum / graph.total;
  }

  function step(direction: 1 | -1, among: number[]): void {
    const sorted = direction === 1 ? among : among.toReversed();
    moveTo(sorted.find((index) => (index - cursor) * direction > 0) ?? sorted[0]);
  }

  function towardsLeaf(): void {
    const children = drawn.filter((index) => index > cursor && parentOf(index) === cursor);
    moveTo(children.sort((a, b) => graph.nodes[b]!.value - graph.nodes[a]!.value)[0]);
  }

  function save(): void {
    const text = standaloneSvg(graph, { ...view(), width: 1200 }, part('.flame-caption').textContent ?? '');
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
    link.download = `${graph.title.replace(/[^\w.-]+/g, '-')}.svg`;
    link.click();
    URL.revokeObjectURL(link.href);
  }

  const atDepthOfCursor = () =>
    drawn.filter((index) => graph.nodes[index]!.depth === graph.nodes[cursor]!.depth);
  const drawnMatches = () => drawn.filter((index) => matches?.has(index));
  const up = () => (rootOnTop ? moveTo(parentOf(cursor)) : towardsLeaf());
  const down = () => (rootOnTop ? towardsLeaf() : moveTo(parentOf(cursor)));
  const keys: Record<string, () => void> = {
    ArrowUp: up,
    ArrowDown: down,
    ArrowLeft: () => step(-1, atDepthOfCursor()),
    ArrowRight: () => step(1, atDepthOfCursor()),
    Enter: () => zoom(cursor),
    ' ': () => zoom(cursor),
    Backspace: () => zoom(parentOf(root)),
    Escape: () => zoom(0),
    Home: () => moveTo(root),
    n: () => step(1, drawnMatches()),
    N: () => step(-1, drawnMatches()),
    '/': () => search.focus(),
  };

  svg.addEventListener('keydown', (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  const under = (event: Event) => (event.target as Element).closest<SVGGElement>('[data-node]')?.dataset.node;
  svg.addEventListener('click', (event) => {
    const index = under(event);
    if (index !== undefined) zoom(Number(index));
  });
  svg.addEventListener('mousemove', (event) => {
    const index = under(event);
    if (index !== undefined) status.textContent = describeNode(graph, graph.nodes[Number(index)]!);
  });
  svg.addEventListener('mouseleave', showCursor);
  search.addEventListener('input', () => find(search.value));
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') {
      svg.focus();
      step(1, drawnMatches());
    } else if (event.key === 'Escape') {
      search.value = '';
      find('');
    } else return;
    event.preventDefault();
  });
  reset.addEventListener('click', () => zoom(0));
  part('[data-do=flip]').addEventListener('click', () => {
    rootOnTop = !rootOnTop;
    paint();
  });
  part('[data-do=save]').addEventListener('click', save);
  for (const button of figure.querySelectorAll<HTMLButtonElement>('[data-find]')) {
    button.addEventListener('click', () => {
      search.value = button.dataset.find ?? '';
      find(search.value);
      svg.scrollIntoView({ block: 'nearest' });
    });
  }
  let width = 0;
  new ResizeObserver(() => {
    // The observer also reports the height that painting itself changes.
    if (svg.clientWidth !== width && svg.clientWidth > 0) {
      width = svg.clientWidth;
      paint();
    }
  }).observe(svg);
}

for (const figure of document.querySelectorAll<HTMLElement>('figure.flame')) mount(figure);
