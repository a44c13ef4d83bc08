/** A figure with more panels than a reader takes in is divided: one figure for each implementation. */
import type { Panel, Plot } from './plot.js';

const mostPanels = 9;

const slug = (name: string) =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/-$/, '');

/** The first keeps the plot's name, the others continue it. */
export function byImplementation(plot: Plot): Plot[] {
  if (plot.panels.length <= mostPanels) return [plot];
  const groups = new Map<string, Panel[]>();
  for (const panel of plot.panels) groups.set(panel.who, [...(groups.get(panel.who) ?? []), panel]);
  if (groups.size === 1) return [plot];
  return [...groups].map(([who, panels], i) => ({
    ...plot,
    panels,
    title: `${plot.title}: ${who}`,
    ...(i === 0
      ? {}
      : { id: `${plot.id}-${slug(who)}`, continues: plot.id, meaning: 'As in the figure above this one.' }),
  }));
}
