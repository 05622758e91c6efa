/** Builds the web console into packages/console/dist when its sources changed since the last build. */
export function ensureConsole(node: string): Promise<void>;
