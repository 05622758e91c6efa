// A QR code as one SVG path: dark on white whatever the colours of the page, because cameras want it so.
import { encode } from 'uqr';

const svg = 'http://www.w3.org/2000/svg';
/** The quiet zone of the standard (ISO/IEC 18004 §9.1). */
const border = 4;

export function qrCode(text: string, label: string): SVGElement {
  const { data, size } = encode(text, { ecc: 'L', border });
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', data.map(rowPath).join(''));
  const picture = document.createElementNS(svg, 'svg');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  picture.setAttribute('shape-rendering', 'crispEdges');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', label);
  picture.setAttribute('class', 'qr');
  picture.append(path);
  return picture;
}

/** Runs of dark modules, each as one bar. */
function rowPath(row: readonly boolean[], y: number): string {
  let bars = '';
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue;
    const begin = x;
    while (row[x + 1] === true) x++;
    bars += `M${begin} ${y}h${x - begin + 1}v1h${begin - x - 1}z`;
  }
  return bars;
}
