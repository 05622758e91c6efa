// A QR code as one SVG path: dark on white whatever the colours of the page, because cameras want it so.
import { encode } from 'uqr';
import { qrPath, quietModules } from '../parts/qr-path.ts';

const svg = 'http://www.w3.org/2000/svg';

export function qrCode(text: string, label: string): SVGElement {
  const { data, size } = encode(text, { ecc: 'L', border: quietModules });
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', qrPath(data));
  const picture = document.createElementNS(svg, 'svg');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  picture.setAttribute('shape-rendering', 'crispEdges');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', label);
  picture.setAttribute('class', 'qr');
  picture.append(path);
  return picture;
}
