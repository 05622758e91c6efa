// The hash FNV-1a of 32 bits: the same number for the same text wherever it is asked for. For spreading, not for trust.

export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
