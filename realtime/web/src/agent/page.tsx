export function Desktop() { return null; }
