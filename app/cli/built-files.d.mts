export declare const removeOldBuilds: (folder: string, files: readonly string[]) => void;
