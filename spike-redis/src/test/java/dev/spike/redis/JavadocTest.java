package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.doctree.DocCommentTree;
import com.sun.source.doctree.ParamTree;
import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ModifiersTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** What is left to see to beside the build's doclint: that of JDK 17 passes over records. */
class JavadocTest {

    @Test
    void publicRecords_everyComponentIsDocumented() throws IOException {
        Map<String, List<String>> gaps = new TreeMap<>();
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(
                    null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources()));
            DocTrees docs = DocTrees.instance(task);
            for (CompilationUnitTree unit : task.parse()) {
                new Records(docs, gaps).scan(unit, null);
            }
        }
        assertThat(gaps).hasSizeGreaterThan(20);
        gaps.values().removeIf(List::isEmpty);
        assertThat(gaps).isEmpty();
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        for (String module : List.of("spike-core", "spike-redis")) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src/main/java/dev"))) {
                files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
            }
        }
        return sources;
    }

    /** Notes each public record with those of its components that no {@code @param} is about. */
    private static final class Records extends TreePathScanner<Void, Void> {
        private final DocTrees docs;
        private final Map<String, List<String>> gaps;

        Records(DocTrees docs, Map<String, List<String>> gaps) {
            this.docs = docs;
            this.gaps = gaps;
        }

        @Override
        public Void visitClass(ClassTree type, Void none) {
            if (type.getKind() == Tree.Kind.RECORD && isPublic(getCurrentPath())) {
                DocCommentTree doc = docs.getDocCommentTree(getCurrentPath());
                List<String> undocumented = components(type);
                if (doc != null) {
                    doc.getBlockTags().stream()
                            .filter(ParamTree.class::isInstance)
                            .map(ParamTree.class::cast)
                            .filter(param -> !param.getDescription().isEmpty())
                            .forEach(
                                    param -> undocumented.remove(param.getName().toString()));
                }
                gaps.put(type.getSimpleName().toString(), undocumented);
            }
            return super.visitClass(type, none);
        }

        /** The instance fields: a record has no others. */
        private static List<String> components(ClassTree type) {
            List<String> names = new ArrayList<>();
            for (Tree member : type.getMembers()) {
                if (member instanceof VariableTree field
                        && !field.getModifiers().getFlags().contains(Modifier.STATIC)) {
                    names.add(field.getName().toString());
                }
            }
            return names;
        }

        private static boolean isPublic(TreePath path) {
            if (!(path.getLeaf() instanceof ClassTree type)) {
                return true;
            }
            ModifiersTree modifiers = type.getModifiers();
            TreePath parent = path.getParentPath();
            boolean isMemberOfInterface = parent.getLeaf().getKind() == Tree.Kind.INTERFACE;
            return (isMemberOfInterface || modifiers.getFlags().contains(Modifier.PUBLIC))
                    && isPublic(parent);
        }
    }
}
