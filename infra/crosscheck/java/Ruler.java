import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import software.amazon.event.ruler.JsonRuleCompiler;
import software.amazon.event.ruler.Machine;

/**
 * Asks AWS's rule engine. Standard input is {"buses": {bus: {rule: pattern}}, "cases": [{"event", "buses": [bus]}]}; the
 * answer is {"invalid": {"bus rule": why}, "matches": [[rule] of each case]}. It asks Machine, which, as EventBridge does,
 * wants all of a pattern to hold for one element of a list of objects.
 */
public class Ruler {
    public static void main(String[] arguments) throws Exception {
        ObjectMapper json = new ObjectMapper();
        JsonNode question = json.readTree(System.in);
        ObjectNode answer = json.createObjectNode();
        ObjectNode invalid = answer.putObject("invalid");
        Map<String, Machine> buses = new TreeMap<>();
        for (Map.Entry<String, JsonNode> bus : question.get("buses").properties()) {
            Machine machine = new Machine();
            for (Map.Entry<String, JsonNode> rule : bus.getValue().properties()) {
                String pattern = rule.getValue().toString();
                String wrong = JsonRuleCompiler.check(pattern);
                if (wrong == null) {
                    machine.addRule(rule.getKey(), pattern);
                } else {
                    invalid.put(bus.getKey() + " " + rule.getKey(), wrong);
                }
            }
            buses.put(bus.getKey(), machine);
        }
        var matches = answer.putArray("matches");
        for (JsonNode one : question.get("cases")) {
            TreeSet<String> rules = new TreeSet<>();
            for (JsonNode bus : one.get("buses")) {
                rules.addAll(buses.get(bus.asText()).rulesForJSONEvent(one.get("event").toString()));
            }
            var list = matches.addArray();
            rules.forEach(list::add);
        }
        json.writeValue(System.out, answer);
    }
}
