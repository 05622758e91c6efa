// The dark modules of a QR code as one path: each run of them in a line is a bar. No elements here.

/** Light modules around the code, as ISO/IEC 18004 §9.1 asks for. */
export const quietModules = 4;

export function qrPath(rows: readonly (readonly boolean[])[]): string {
  let path = '';
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (row[x] !== true) continue;
      let end = x;
      while (row[end] === true) end += 1;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
  });
  return path;
}
