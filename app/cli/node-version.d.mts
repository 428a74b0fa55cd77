export declare const OLDEST_NODE: string;
export declare const isTooOld: (version: string) => boolean;
