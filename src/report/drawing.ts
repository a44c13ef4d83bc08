/**
 * Colours, symbols, numbers, scales and the frame that all charts share. Runs in Node and in the page: imports nothing at run
 * time.
 */
import type { Plot, View } from './plot.js';

const mechanisms = {
  light: [
    '#D55E00',
    '#E69F00',
    '#B5508C',
    '#0072B2',
    '#3A9BD9',
    '#009E73',
    '#8A6D00',
    '#00697A',
    '#9C2F2F',
    '#5B5BD6',
    '#5E8C1A',
    '#A3573A',
  ],
  dark: [
    '#F0894A',
    '#F2B84B',
    '#E39CC4',
    '#5AAEE8',
    '#9AD4F7',
    '#3CCBA3',
    '#E3D35C',
    '#4FC6DA',
    '#E88A8A',
    '#ABABFA',
    '#A8D65C',
    '#D8A48C',
  ],
};

/**
 * Okabe and Ito's colours, told apart by every common kind of colour vision, further ones for the ways of io_uring, and some
 * for what is no mechanism, always in a panel of its own; brighter ones on a dark ground.
 */
export const palettes = {
  light: [...mechanisms.light, '#4D4D4D', '#6A4C9C', '#7F4F24', '#2F6B5E'],
  dark: [...mechanisms.dark, '#C9C9C9', '#C5B0F0', '#DDB08A', '#9AD6C6'],
};

/** A second channel beside colour. */
export const symbols = ['circle', 'rect', 'triangle', 'diamond', 'roundRect', 'pin', 'arrow', 'emptyCircle'];

export const inks = {
  light: { text: '#3c4043', faint: '#8a8f94', line: '#e4e6e8', ground: '#ffffff', reference: '#8f8f8f' },
  dark: { text: '#d6d9dc', faint: '#8d9399', line: '#32373c', ground: '#16191c', reference: '#8b8b8b' },
};

/** 16000 -> "16k": axis labels only; tables give full figures. */
export function short(value: number): string {
  const size = Math.abs(value);
  const trim = (scaled: number) => String(Number(scaled.toPrecision(3)));
  if (size >= 1e6) return `${trim(value / 1e6)}M`;
  if (size >= 1e3) return `${trim(value / 1e3)}k`;
  return trim(value);
}

/** 1, 2 or 5 times a power of ten, at least `least`. */
export function roundStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((factor) => factor * decade).find((step) => step >= least * 0.999)!;
}

/** Steps that an axis is divided into, at most. */
export const steps = 5;

export interface Scale {
  min: number;
  max: number;
  /** linear: between ticks */
  interval?: number;
  /** logarithmic: where they are */
  ticks?: number[];
}

/** A linear (0 up) or logarithmic axis with round bounds and ticks, shared by all panels. */
export function scaleOf(values: number[], means: number[], log: boolean): Scale {
  const positive = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  const largest = Math.max(...positive, 1e-9);
  if (!log) {
    // What cannot be negative has an axis from 0, also where an interval reaches below; it is cut off there.
    const lowest = means.some((value) => value < 0) ? Math.min(...positive) : 0;
    const interval = roundStep((largest * 1.03 - lowest) / steps);
    return {
      min: Math.floor(lowest / interval) * interval,
      max: Math.ceil((largest * 1.03) / interval) * interval,
      interval,
    };
  }
  const smallest = Math.min(...positive, largest) / 1.1;
  const max = roundStep(largest * 1.1);
  const round = [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10(smallest)));
  const min = round.filter((figure) => figure <= smallest * 1.001).at(-1)!;
  const factors = max / min > 100 ? [1] : [1, 2, 5];
  const decades = Math.ceil(Math.log10(max / min)) + 1;
  const first = 10 ** Math.floor(Math.log10(min));
  const ticks = Array.from({ length: decades + 1 }, (_, decade) =>
    factors.map((factor) => Number((factor * first * 10 ** decade).toPrecision(6))),
  )
    .flat()
    .filter((tick) => tick >= min * 0.999 && tick <= max * 1.001);
  return { min, max, ticks };
}

/** A figure in a tooltip. */
export const figureText = (value: number): string =>
  Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(4);

/** What every chart has around its panels; `titles`: where each panel's title stands. */
export function frame(
  plot: Plot,
  view: View,
  titles: readonly { left: number; top: number; width: number }[],
): { ink: (typeof inks)['light']; around: Record<string, unknown>; tooltip: Record<string, unknown> } {
  const ink = view.dark ? inks.dark : inks.light;
  const title = {
    text: plot.title,
    left: 12,
    top: 6,
    textStyle: { color: ink.text, fontSize: 15, fontWeight: 600 },
  };
  return {
    ink,
    around: {
      animation: false,
      backgroundColor: view.legend ? ink.ground : 'transparent',
      textStyle: { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", color: ink.text },
      aria: {
        enabled: true,
        label: { description: `${plot.title}. ${plot.meaning} The table beside the plot has every figure.` },
      },
      title: [
        ...(view.legend ? [title] : []),
        ...plot.panels.map((panel, index) => {
          const { width, ...place } = titles[index]!;
          return {
            text: panel.title,
            ...place,
            textStyle: {
              color: ink.text,
              fontSize: 13,
              lineHeight: 15,
              fontWeight: 600,
              width,
              overflow: 'break',
            },
          };
        }),
      ],
    },
    tooltip: {
      trigger: 'item',
      confine: true,
      backgroundColor: ink.ground,
      borderColor: ink.line,
      textStyle: { color: ink.text, fontSize: 12 },
    },
  };
}
