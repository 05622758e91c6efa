// A QR code, for a phone that is held to the screen. Always dark on light, whatever the colours of the page: readers ask
// for it.
import { useMemo } from 'react';
import { encode } from 'uqr';
import { qrPath, quietModules } from './qr-path.ts';

export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { size, path } = useMemo(() => {
    const code = encode(text, { ecc: 'M', border: quietModules });
    return { size: code.size, path: qrPath(code.data) };
  }, [text]);
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
