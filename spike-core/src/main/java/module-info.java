/** The interfaces of Spike, the pre-deduction and an in-memory shared stock. */
module dev.spike.core {
    requires static transitive org.jspecify;

    exports dev.spike.core;
}
