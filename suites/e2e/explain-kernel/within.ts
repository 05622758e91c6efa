// An end for what is waited for. It is far beyond what anything takes: whoever meets it is told what did not come.

export async function within<T>(ms: number, awaited: Promise<T>, missing: () => string): Promise<T> {
  const over = Promise.withResolvers<never>();
  const timer = setTimeout(() => over.reject(new Error(`after ${ms / 1000} s ${missing()}`)), ms);
  try {
    return await Promise.race([awaited, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
