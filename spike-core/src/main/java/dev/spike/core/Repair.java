package dev.spike.core;

import java.util.List;

/**
 * What a repair did, or would do.
 *
 * @param dryRun whether it only told
 * @param audit that it goes by
 * @param steps each of them
 * @param more whether something was done, or would be, and the audit may have found more than it
 *     tells, so that another repair may have something to do
 */
public record Repair(boolean dryRun, Audit audit, List<Step> steps, boolean more) {

    /**
     * A step.
     *
     * @param what it changes, in words
     * @param done whether it was done
     * @param why not, if it was not; else empty
     */
    public record Step(String what, boolean done, String why) {}
}
