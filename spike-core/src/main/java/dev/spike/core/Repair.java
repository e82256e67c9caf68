package dev.spike.core;

import java.util.List;

/**
 * What a repair did, or would do.
 *
 * @param dryRun whether it only told
 * @param audit that it goes by
 * @param steps each of them
 */
public record Repair(boolean dryRun, Audit audit, List<Step> steps) {

    /**
     * A step.
     *
     * @param what it changes, in words
     * @param done whether it was done
     * @param why not, if it was not; else empty
     */
    public record Step(String what, boolean done, String why) {}
}
