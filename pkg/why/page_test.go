package why

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/drawbridge-cloud/drawbridge/pkg/answer"
	"github.com/drawbridge-cloud/drawbridge/pkg/answer/answertest"
	"github.com/drawbridge-cloud/drawbridge/pkg/board"
	"github.com/drawbridge-cloud/drawbridge/pkg/deed"
	"github.com/drawbridge-cloud/drawbridge/pkg/network"
	"github.com/drawbridge-cloud/drawbridge/pkg/tag"
)

// failing are answers in which a hop does not hold, by its code: the first breakage of either world that it is said of, and what no breakage is.
func failing() map[string]Answer {
	out := map[string]Answer{}
	for _, w := range worlds {
		for _, b := range slices.Concat(common, w.also) {
			q := w.world()
			if b.do(&q); out[b.hop].Hops == nil {
				out[b.hop] = Judge(q)
			}
		}
	}
	word := func(kind tag.Kind, id, account, key, value, name string) Answer {
		q := unshared(s1())
		q.Share.With = alpha
		q.Words = []Word{{Thing: deed.Thing{Kind: kind, ID: id, Account: account, Region: "us-east-1"}, Key: key, Value: value, Name: name}}
		return Judge(q)
	}
	out["accept"] = word(tag.VPC, betaVPC, beta, tag.Accept, "never", "")
	out["approval"] = word(tag.Peering, peeringID, beta, tag.Approval, "rejected", "")
	out["manage"] = word(tag.Peering, peeringID, alpha, tag.Manage, tag.Leave, "")
	out["reach"] = word(tag.Subnet, "subnet-0b1", beta, tag.Reach, tag.NoReach, "")
	out["routes"] = word(tag.Notebook, "arn:aws:sagemaker:us-east-1:"+alpha+":notebook-instance/research", alpha, tag.Routes, "off", "research")
	out["share"] = Judge(unshared(s1()))
	stopped := s1()
	stopped.Running, stopped.Share.Thing.Kind = Running{Status: "stopped"}, tag.DBInstance
	out["database-state"] = Judge(stopped)
	blind, apart, elsewhere, stale := s1(), s1(), s1(), s1()
	blind.World.VPCs, apart.Carriers = blind.World.VPCs[:1], nil
	elsewhere.Serves, elsewhere.Port, elsewhere.To.Port = []int{3306}, 3307, 3307
	stale.Client.Host, stale.Script = &network.Host{}, Script{Config: "setup", Running: true, Stale: true, Routes: cidrs("10.2.0.0/23")}
	out["path"], out["connection"], out["port"], out["host-route"] = Judge(blind), Judge(apart), Judge(elsewhere), Judge(stale)
	waits := out["carrier"]
	out["carrier"] = waits.With(board.Entry{Line: board.Line{ID: peeringID, By: beta, Command: []string{"aws", "ec2", "create-tags", "--region", "us-east-1", "--resources", peeringID, "--tags", "Key=drawbridge:approval,Value=approved"}}})
	return out
}

// What a hop's page shows of why's answer is what why prints of it.
func TestHopsPagesShowWhatIsPrinted(t *testing.T) {
	all := failing()
	for _, c := range Codes {
		a := all[c]
		h := code(a, c)
		if h.Answer != "no" && h.Answer != "unknown" {
			t.Errorf("no answer here has the hop %s fail", c)
			continue
		}
		a.Hops, a.After = []Hop{h}, ""
		p := answer.Page{Width: 80}
		a.hops(&p)
		a.mends(&p)
		path := filepath.Join("..", "..", "docs", "hops", c+".md")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		before, _, found := bytes.Cut(text, []byte("```text\n"))
		if !found {
			t.Errorf("%s shows nothing", path)
			continue
		}
		answertest.Golden(t, path, fmt.Appendf(before, "```text\n%s```\n", p.String()))
	}
}
