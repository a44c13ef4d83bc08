// What chart.ts and servers-chart.ts ask of ECharts, and nothing else of it: scripts/echarts.mjs makes one file of this, for
// Node and for the page.
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  AriaComponent,
  GridComponent,
  LegendPlainComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapContinuousComponent,
} from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';

use([BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart]);
use([AriaComponent, GridComponent, LegendPlainComponent, TitleComponent, TooltipComponent]);
use([VisualMapContinuousComponent, SVGRenderer]);

export { init };
